"""The days on which Korean offices are closed, Saturdays and Sundays apart, written out by hand.

From the Act on Public Holidays and its decree as they stand in 2026: Seollal and Chuseok are three
days each, with a substitute where one of them falls on a Sunday; national days (1 March, 17 July
again from 2026, 15 August, 3 and 9 October), Children's Day, Labour Day (a public holiday from
2026), Buddha's birthday and Christmas have one for a Saturday too; New Year and 6 June have none.
2028 goes as far as a period of six months from the last day of 2027.
"""

from datetime import date

HOLIDAYS = {
    date(2026, 1, 1): "New Year, a Thursday",
    date(2026, 2, 16): "the day before Seollal",
    date(2026, 2, 17): "Seollal, a Tuesday",
    date(2026, 2, 18): "the day after Seollal",
    date(2026, 3, 1): "Independence Movement Day, a Sunday",
    date(2026, 3, 2): "its substitute",
    date(2026, 5, 1): "Labour Day, a Friday",
    date(2026, 5, 5): "Children's Day, a Tuesday",
    date(2026, 5, 24): "Buddha's birthday, a Sunday",
    date(2026, 5, 25): "its substitute",
    date(2026, 6, 3): "the local elections",
    date(2026, 6, 6): "Memorial Day, a Saturday, without a substitute",
    date(2026, 7, 17): "Constitution Day, a Friday",
    date(2026, 8, 15): "Liberation Day, a Saturday",
    date(2026, 8, 17): "its substitute",
    date(2026, 9, 24): "the day before Chuseok",
    date(2026, 9, 25): "Chuseok, a Friday",
    date(2026, 9, 26): "the day after Chuseok, a Saturday, without a substitute",
    date(2026, 10, 3): "National Foundation Day, a Saturday",
    date(2026, 10, 5): "its substitute",
    date(2026, 10, 9): "Hangeul Day, a Friday",
    date(2026, 12, 25): "Christmas, a Friday",
    date(2027, 1, 1): "New Year, a Friday",
    date(2027, 2, 6): "the day before Seollal",
    date(2027, 2, 7): "Seollal, a Sunday",
    date(2027, 2, 8): "the day after Seollal",
    date(2027, 2, 9): "Seollal's substitute",
    date(2027, 3, 1): "Independence Movement Day, a Monday",
    date(2027, 5, 1): "Labour Day, a Saturday",
    date(2027, 5, 3): "its substitute",
    date(2027, 5, 5): "Children's Day, a Wednesday",
    date(2027, 5, 13): "Buddha's birthday, a Thursday",
    date(2027, 6, 6): "Memorial Day, a Sunday, without a substitute",
    date(2027, 7, 17): "Constitution Day, a Saturday",
    date(2027, 7, 19): "its substitute",
    date(2027, 8, 15): "Liberation Day, a Sunday",
    date(2027, 8, 16): "its substitute",
    date(2027, 9, 14): "the day before Chuseok",
    date(2027, 9, 15): "Chuseok, a Wednesday",
    date(2027, 9, 16): "the day after Chuseok",
    date(2027, 10, 3): "National Foundation Day, a Sunday",
    date(2027, 10, 4): "its substitute",
    date(2027, 10, 9): "Hangeul Day, a Saturday",
    date(2027, 10, 11): "its substitute",
    date(2027, 12, 25): "Christmas, a Saturday",
    date(2027, 12, 27): "its substitute",
    date(2028, 1, 1): "New Year, a Saturday, without a substitute",
    date(2028, 1, 26): "the day before Seollal",
    date(2028, 1, 27): "Seollal, a Thursday",
    date(2028, 1, 28): "the day after Seollal",
    date(2028, 3, 1): "Independence Movement Day, a Wednesday",
    date(2028, 4, 12): "the National Assembly elections",
    date(2028, 5, 1): "Labour Day, a Monday",
    date(2028, 5, 2): "Buddha's birthday, a Tuesday",
    date(2028, 5, 5): "Children's Day, a Friday",
    date(2028, 6, 6): "Memorial Day, a Tuesday",
    date(2028, 7, 17): "Constitution Day, a Monday",
}
FIRST, LAST = date(2026, 1, 1), date(2028, 7, 31)
