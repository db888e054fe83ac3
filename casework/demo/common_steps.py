"""What most histories have in common: from the application to the plan, and the checks after."""

from __future__ import annotations

from typing import Any, Final

from casework.demo import case_steps as acts
from casework.demo.courses import some_course
from casework.demo.story import Slot, Story, StoryStep
from casework.domain.casefile.case import Channel

STEPS: Final = ("apply", "survey", "assess", "draft", "submit", "decide")
# What the time before each step is called.
BEFORE: Final = {
    "survey": "survey",
    "assess": "assessment",
    "draft": "draft",
    "submit": "submit",
    "decide": "decision",
}
CHANNELS: Final = tuple(one for one in Channel if one != Channel.DISCHARGE)
CHANNEL_WEIGHTS: Final = (30, 30, 3, 12, 10, 10, 5)
SERVICES_AT_MOST: Final = 4


def lead_to(story: Story, last: str, age: int) -> list[Slot]:
    """Schedule everything from registering to the step ``last``, ``age`` working days ago.

    Returns the services that the plan has, where one was drafted.
    """
    _choose_channel(story)
    slots = some_services(story, story.between(2, SERVICES_AT_MOST))
    steps = STEPS[: STEPS.index(last) + 1]
    ages = [age]
    for step in reversed(steps[1:]):
        ages.append(ages[-1] + story.gap(BEFORE[step]))
    story.at(ages[-1], acts.register)
    for step, day in zip(steps, reversed(ages), strict=True):
        step_function, args = _step(story, step, slots)
        story.at(day, step_function, *args)
    if story.chance(0.7):
        story.at(story.between(1, ages[-1]), acts.note)
    return slots


def _choose_channel(story: Story) -> None:
    if story.channel == Channel.SELF:
        story.channel = story.rng.choices(CHANNELS, CHANNEL_WEIGHTS)[0]


def some_services(story: Story, count: int) -> list[Slot]:
    """That many further services of the catalogue, none twice."""
    chosen = {slot.code for slot in story.slots}
    free = [code for code in story.city.catalogue if code not in chosen]
    slots = [Slot(code) for code in story.rng.sample(free, count)]
    story.slots += slots
    return slots


def _step(story: Story, step: str, slots: list[Slot]) -> tuple[StoryStep, tuple[Any, ...]]:
    """The act of a step, with what it needs to know."""
    match step:
        case "survey":
            return acts.survey, (story.between(2, 13), story.chance(0.15))
        case "assess":
            return acts.assess, (story.rng.choice(("long_term_care", "community_care")),)
        case "draft":
            return acts.draft, (slots,)
    return {"apply": acts.apply, "submit": acts.submit, "decide": acts.decide}[step], ()


def support(story: Story, approved: int) -> list[Slot]:
    """A plan that was approved so many working days ago, and that the resident was told of."""
    slots = lead_to(story, "decide", approved)
    story.then(approved, story.gap("notify_plan"), acts.notify)
    return slots


def support_well(story: Story, approved: int) -> list[Slot]:
    """The same, with its services on their way and checks as the law asks."""
    slots = support(story, approved)
    for slot in slots:
        some_course(story, slot, approved)
    check_regularly(story, approved)
    return slots


def check_regularly(story: Story, approved: int) -> None:
    """A first check within three months, then within six (Rule 10)."""
    checked = story.then(approved, story.between(35, 55), acts.check)
    while checked:
        days = story.between(60, 110)
        checked = story.then(checked, days, acts.check)


def revise(story: Story, drafted: int, last: str = "decide") -> list[Slot]:
    """A next version with one more service, taken as far as the step ``last``."""
    added = some_services(story, 1)
    story.at(drafted, acts.draft, list(story.slots))
    submitted = drafted
    if last in ("submit", "return", "decide"):
        submitted = story.then(drafted, story.gap("submit"), acts.submit)
    if last in ("return", "decide"):
        decided = story.then(submitted, story.gap("decision"), acts.decide, last == "decide")
        for slot in added if last == "decide" else ():
            some_course(story, slot, decided)
    return added
