"""The repositories of one transaction, each made when it is first used."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy import Connection

from casework.adapters.persistence.access.accounts import SqlAccountAdministration
from casework.adapters.persistence.agencies.inbox import SqlInbox
from casework.adapters.persistence.agencies.links import SqlLinks
from casework.adapters.persistence.agencies.rosters import SqlRosters
from casework.adapters.persistence.agencies.staff import SqlStaff
from casework.adapters.persistence.audit.trail import SqlAuditTrail
from casework.adapters.persistence.casefile.casefiles import SqlCaseFiles
from casework.adapters.persistence.casefile.cases import SqlCases
from casework.adapters.persistence.casefile.deadlines import SqlDeadlines
from casework.adapters.persistence.casefile.referrals import SqlReferrals
from casework.adapters.persistence.directory.absences import SqlAbsences
from casework.adapters.persistence.directory.accounts import SqlAccounts
from casework.adapters.persistence.directory.directory import SqlDirectory
from casework.adapters.persistence.directory.editing import SqlDirectoryEditing
from casework.adapters.persistence.directory.matching import SqlMatching
from casework.adapters.persistence.directory.places import SqlPlaces
from casework.adapters.persistence.duplicates.duplicates import SqlDuplicates
from casework.adapters.persistence.duplicates.merging import SqlMerges
from casework.adapters.persistence.exchange.imports import SqlImports
from casework.adapters.persistence.figures.figures import SqlFigures
from casework.adapters.persistence.notices.notices import SqlNoticeStore
from casework.adapters.persistence.notices.subscriptions import SqlSubscriptions
from casework.adapters.persistence.planning.conferences import SqlConferences
from casework.adapters.persistence.privacy.access_requests import SqlAccessRequests
from casework.adapters.persistence.privacy.break_glass import SqlOpenings
from casework.adapters.persistence.privacy.disclosures import SqlDisclosures
from casework.adapters.persistence.programme.bodies import SqlBodies
from casework.adapters.persistence.residents.households import SqlHouseholds
from casework.adapters.persistence.residents.residents import SqlResidents
from casework.adapters.persistence.supervision.jobs import SqlJobs
from casework.adapters.persistence.supervision.standards import SqlStandards
from casework.adapters.persistence.supervision.worklists import SqlWorklists
from casework.domain.access.policy import Scope


class SqlRepositories:
    """What the port ``Repositories`` names, on one connection for one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self.scope, self._now, self._about = connection, scope, now, about

    def about(self, *resident_ids: UUID) -> None:
        self._about.update(resident_ids)

    @cached_property
    def residents(self) -> SqlResidents:
        return SqlResidents(self._connection, self.scope, self._now, self._about)

    @cached_property
    def households(self) -> SqlHouseholds:
        return SqlHouseholds(self._connection, self.scope, self._now, self._about)

    @cached_property
    def files(self) -> SqlCaseFiles:
        return SqlCaseFiles(self._connection, self.scope, self._now, self._about)

    @cached_property
    def cases(self) -> SqlCases:
        return SqlCases(self._connection, self.scope, self._now, self._about)

    @cached_property
    def referrals(self) -> SqlReferrals:
        return SqlReferrals(self._connection, self.scope, self._now, self._about)

    @cached_property
    def deadlines(self) -> SqlDeadlines:
        return SqlDeadlines(self._connection, self.scope, self._now, self._about)

    @cached_property
    def conferences(self) -> SqlConferences:
        return SqlConferences(self._connection, self.scope, self._now, self._about)

    @cached_property
    def directory(self) -> SqlDirectory:
        return SqlDirectory(self._connection, self.scope, self._now)

    @cached_property
    def directory_editing(self) -> SqlDirectoryEditing:
        return SqlDirectoryEditing(self._connection, self.scope, self._now, self._about)

    @cached_property
    def places(self) -> SqlPlaces:
        return SqlPlaces(self._connection, self.scope, self._now)

    @cached_property
    def matching(self) -> SqlMatching:
        return SqlMatching(self._connection, self.scope, self.residents, self._now)

    @cached_property
    def accounts(self) -> SqlAccounts:
        return SqlAccounts(self._connection, self.scope)

    @cached_property
    def absences(self) -> SqlAbsences:
        return SqlAbsences(self._connection, self.scope)

    @cached_property
    def account_administration(self) -> SqlAccountAdministration:
        return SqlAccountAdministration(self._connection)

    @cached_property
    def staff(self) -> SqlStaff:
        return SqlStaff(self._connection, self.scope)

    @cached_property
    def inbox(self) -> SqlInbox:
        return SqlInbox(self._connection, self.scope, self._now, self._about)

    @cached_property
    def rosters(self) -> SqlRosters:
        return SqlRosters(self._connection, self.scope, self._now, self._about)

    @cached_property
    def links(self) -> SqlLinks:
        return SqlLinks(self._connection)

    @cached_property
    def notices(self) -> SqlNoticeStore:
        return SqlNoticeStore(self._connection, SqlLinks)

    @cached_property
    def subscriptions(self) -> SqlSubscriptions:
        return SqlSubscriptions(self._connection, self.scope)

    @cached_property
    def worklists(self) -> SqlWorklists:
        return SqlWorklists(self._connection, self.scope, self._now, self._about)

    @cached_property
    def standards(self) -> SqlStandards:
        return SqlStandards(self._connection, self.scope, self._now)

    @cached_property
    def jobs(self) -> SqlJobs:
        return SqlJobs(self._connection, self._now)

    @cached_property
    def figures(self) -> SqlFigures:
        return SqlFigures(self._connection, self.scope, self._now, self._about)

    @cached_property
    def duplicates(self) -> SqlDuplicates:
        return SqlDuplicates(self._connection, self.scope, self._now, self._about)

    @cached_property
    def merges(self) -> SqlMerges:
        return SqlMerges(self._connection, self.scope, self._now, self._about)

    @cached_property
    def openings(self) -> SqlOpenings:
        return SqlOpenings(self._connection, self.scope, self._now, self._about)

    @cached_property
    def disclosures(self) -> SqlDisclosures:
        return SqlDisclosures(self._connection, self.residents)

    @cached_property
    def access_requests(self) -> SqlAccessRequests:
        return SqlAccessRequests(self._connection, self.scope, self._now, self._about)

    @cached_property
    def audit(self) -> SqlAuditTrail:
        return SqlAuditTrail(self._connection, self._about)

    @cached_property
    def bodies(self) -> SqlBodies:
        return SqlBodies(self._connection, self.scope, self._now)

    @cached_property
    def imports(self) -> SqlImports:
        return SqlImports(self._connection, self.scope, self._now, self._about)
