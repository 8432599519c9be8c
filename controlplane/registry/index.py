"""Every function in memory: what a reference stands for is found without a database read."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from controlplane.model.functions import Function, FunctionVersion, revision_of
from controlplane.model.ids import ArnScheme, FunctionReference, function_not_found
from controlplane.model.revision import Resolution, Revision, Wanted
from controlplane.model.status import ACTIVE
from controlplane.registry.readiness import check_runnable
from controlplane.registry.settings.index import SettingsIndex, provisioned_slots
from controlplane.storage.ports import ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A function as it is now."""

    function: Function
    record_version: int
    """Of its own record, for the next compare-and-set."""
    revisions: Mapping[str, Revision]
    """What runs for each of its versions by number, and for $LATEST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What a change took away."""

    revision_ids: Collection[str]
    """Revisions that no reference leads to any more."""
    artifact_ids: Collection[str]
    """Packages that no version uses any more."""


class FunctionIndex:
    """The functions of one control plane, by name."""

    def __init__(self, arns: ArnScheme) -> None:
        self._arns = arns
        self._entries: dict[str, Entry] = {}
        self._names: list[str] = []
        self._artifact_uses: Counter[str] = Counter()
        self.settings = SettingsIndex()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, name: str) -> tuple[Function | None, int]:
        """A function, or None, and the version of its record."""
        entry = self._entries.get(name)
        return (None, ABSENT) if entry is None else (entry.function, entry.record_version)

    def all(self) -> Sequence[Function]:
        """Every function, in order of their names."""
        return [self._entries[name].function for name in self._names]

    def existing(self, function_name: str) -> Function:
        """The function that a reference to it as a whole means.

        Raises:
            NotFoundError: no such function.
            InvalidArgumentError: no reference, or one to a version or an alias.
        """
        return self.known(self._arns.parse_unqualified(function_name))

    def known(self, name: str) -> Function:
        """The function of that name.

        Raises:
            NotFoundError: there is none.
        """
        return self.required(self.get(name)[0], name)

    def required(self, function: Function | None, name: str) -> Function:
        """A function that may have gone since it was seen.

        Raises:
            NotFoundError: it has.
        """
        if function is None:
            raise function_not_found(self._arns.function_arn(name))
        return function

    def names_after(self, name: str, count: int) -> Sequence[str]:
        """The next names in order."""
        start = bisect.bisect_right(self._names, name)
        return self._names[start : start + count]

    def uses(self, artifact_id: str) -> bool:
        """Whether any version of any function has this package."""
        return self._artifact_uses[artifact_id] > 0

    def resolve(self, reference: FunctionReference, draw: float) -> Resolution:
        """What a reference stands for; draw in [0, 1) decides between weighted versions.

        Raises:
            NotFoundError: no such function, version or alias.
            ConflictError: it cannot run yet, or could never be made ready.
        """
        arn = self._arns.function_arn(reference.name, reference.qualifier)
        entry = self._entries.get(reference.name)
        if entry is None:
            raise function_not_found(arn)
        number = entry.function.number(reference.version_or_alias, draw)
        version = entry.function.running(number)
        if version is None:
            raise function_not_found(arn)
        check_runnable(version)
        settings = entry.function.settings
        return Resolution(
            revision=entry.revisions[number],
            invoked_arn=arn,
            reserved_concurrency=settings.reserved_concurrency,
            provisioned=provisioned_slots(settings, reference.qualifier, number),
        )

    def wanted(self) -> Sequence[Wanted]:
        """What shall stand ready of all functions, as far as it can run already."""
        entries = (self._entries[name] for name in self.settings.provisioned_names)
        return [each for entry in entries for each in _wanted(entry)]

    def put(self, name: str, function: Function | None, record_version: int) -> Gone:
        """Take a function's new state, None when it was deleted, and say what went with it."""
        before = self._entries.get(name)
        self.settings.put(name, function.settings if function else None)
        if function is None:
            self._forget(name)
            revisions: Mapping[str, Revision] = {}
        else:
            if before is None:
                bisect.insort(self._names, name)
            revisions = self._revisions(function, before)
            self._entries[name] = Entry(
                function=function, record_version=record_version, revisions=revisions
            )
        return Gone(
            revision_ids=_ids(before.revisions if before else {}) - _ids(revisions),
            artifact_ids=self._recount(_artifacts(before.function if before else None), function),
        )

    def _forget(self, name: str) -> None:
        if self._entries.pop(name, None) is not None:
            del self._names[bisect.bisect_left(self._names, name)]

    def _revisions(self, function: Function, before: Entry | None) -> Mapping[str, Revision]:
        """A revision per version; those of versions that stayed are taken over as they are."""
        known: dict[str, tuple[FunctionVersion, Revision]] = {}
        if before is not None:
            for version in before.function.running_versions():
                known[version.version] = (version, before.revisions[version.version])
        revisions: dict[str, Revision] = {}
        for version in function.running_versions():
            old = known.get(version.version)
            if old is not None and old[0] is version:
                revisions[version.version] = old[1]
            else:
                revisions[version.version] = revision_of(version, self._arns)
        return revisions

    def _recount(self, before: Collection[str], function: Function | None) -> Collection[str]:
        self._artifact_uses.update(_artifacts(function))
        self._artifact_uses.subtract(before)
        gone = {each for each in before if not self._artifact_uses[each]}
        for artifact_id in gone:
            del self._artifact_uses[artifact_id]
        return gone


def _wanted(entry: Entry) -> Iterator[Wanted]:
    function = entry.function
    for qualifier, config in function.settings.provisioned.items():
        alias = function.aliases.get(qualifier)
        shares = alias.shares(config.requested) if alias else {qualifier: config.requested}
        for number, count in shares.items():
            version = function.running(number)
            if count and version is not None and version.status.state == ACTIVE:
                yield Wanted(
                    function_name=function.name,
                    qualifier=qualifier,
                    revision=entry.revisions[number],
                    count=count,
                )


def _artifacts(function: Function | None) -> list[str]:
    """The package of every version, as often as it is used."""
    if function is None:
        return []
    versions = function.all_versions()
    serving = () if function.serving is None else (function.serving,)
    return [each for version in (*versions, *serving) for each in version.artifact_ids]


def _ids(revisions: Mapping[str, Revision]) -> set[str]:
    return {revision.revision_id for revision in revisions.values()}
