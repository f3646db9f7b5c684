"""The rules of ld.so(8): which places a library is looked for in, and in which order.

What is loaded already; DT_RPATH of the caller and of those that loaded it, unless the caller has a DT_RUNPATH;
LD_LIBRARY_PATH; DT_RUNPATH of the caller; ld.so.cache; the default directories. In each directory the subdirectories
of ``glibc-hwcaps`` for this processor come first. The loader stops at the first file of the right architecture; here a
file that it would then fail to load is passed over with the reason, since the next one may do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from ..elf.dynamic import DF_1_NODEFLIB
from . import hwcaps
from .cache import CacheError, LoaderCache
from .explanation import Step
from .names import FileNames, exactly, file_names, is_path
from .situation import Situation
from .tokens import split_path
from .verdict import LibraryFacts, RefusedError, examine, versions_in

#: A chain of needs longer than this is given up.
DEEPEST = 64
#: Linker scripts that stand for linker scripts are followed as far as this.
DEEPEST_SCRIPTS = 4


class Search:
    """Searches of one situation; what was learnt of files and directories is kept while it lives.

    A `thorough` one also shows files that would be refused in any case; see `_covered`.
    """

    def __init__(self, situation: Situation, *, thorough: bool = True) -> None:
        self.situation = situation
        self._thorough = thorough
        self._verdicts: dict[str, str] = {}
        self._examined: dict[str, LibraryFacts | RefusedError] = {}
        self._versions: dict[str, frozenset[str]] = {}
        self._scripts: dict[str, list[str]] = {}
        # The first that was loaded serves.
        self._loaded_by_name = {
            os.path.basename(path): path for path in reversed(situation.loaded) if "/" in path
        }
        self._cache: LoaderCache | CacheError | OSError | None = None

    def steps(self, name: str) -> Iterator[Step]:
        """Everything that is looked at for `name`, up to what is accepted."""
        for step in self._with_scripts(name):
            yield step
            if step.accepted:
                return

    def _with_scripts(self, name: str, depth: int = 0) -> Iterator[Step]:
        """The judged steps for a name, and after a linker script those for the libraries that it stands for."""
        for step in self._candidates(name, file_names(name), self.situation.callers, first=True):
            if step.path is None or step.reason:
                yield step
                continue
            reason = "" if step.place == _LOADED else self.reason_against(step.path, self.situation.callers)
            yield step._replace(reason=reason)
            for target in self._scripts.get(step.path, ()) if depth < DEEPEST_SCRIPTS else ():
                for further in self._with_scripts(target, depth + 1):
                    if further.path is not None:
                        yield further._replace(place=step.place)

    def reason_against(self, path: str, loaders: tuple[LibraryFacts, ...]) -> str:
        """Why the loader would not load a file, and what it needs; empty when it would.

        `loaders` is the object that asks for it, that which asked for that one, and so on.
        """
        known = self._verdicts.get(path)
        if known is None:
            self._verdicts[path] = ""  # for those that need each other
            known = self._verdicts[path] = self._judge(path, loaders)
        return known

    def _judge(self, path: str, loaders: tuple[LibraryFacts, ...]) -> str:
        facts = self._examine(path)
        if isinstance(facts, RefusedError):
            self._scripts[path] = facts.instead
            return str(facts)
        if len(loaders) > DEEPEST:
            return f"the chain of what it needs is longer than {DEEPEST}"
        chain = (facts, *loaders)
        found: dict[str, str] = {}
        for needed in facts.needed:
            where = self._resolve(needed, chain)
            if where is None:
                return f"it needs {needed}, which is not found{self._hint(needed, chain)}"
            if reason := "" if self._is_loaded(where) else self.reason_against(where, chain):
                return f"it needs {needed}, and {where} would not load: {reason}"
            found[needed] = where
        return self._missing_version(facts, found)

    def _missing_version(self, facts: LibraryFacts, found: dict[str, str]) -> str:
        for needed in facts.versions:
            where = found.get(needed.library)
            if where is None or needed.weak:
                continue
            defined = self._versions.get(where)
            if defined is None:
                defined = self._versions[where] = versions_in(where)
            # A library without any versions is taken as it is, with a warning.
            if defined and needed.version not in defined:
                return f"it needs version {needed.version} of {needed.library}, which {where} does not have"
        return ""

    def _resolve(self, needed: str, chain: tuple[LibraryFacts, ...]) -> str | None:
        """Where the loader would find what a library needs: the first file, but for those of other architectures."""
        needed = self.situation.expand(needed, chain[0].origin)
        for step in self._candidates(needed, exactly(needed), chain):
            if step.path and not step.reason and (step.place == _LOADED or self._stops_at(step.path)):
                return step.path
        return None

    def _hint(self, needed: str, chain: tuple[LibraryFacts, ...]) -> str:
        """Is it in LD_LIBRARY_PATH as it is now, which the loader does not know?"""
        for step in self._candidates(needed, exactly(needed), chain, first=True):
            if step.place == "LD_LIBRARY_PATH" and step.path:
                return (
                    f" (the loader does not know that LD_LIBRARY_PATH has {step.path}: it was set too late)"
                )
        return ""

    def _stops_at(self, path: str) -> bool:
        facts = self._examine(path)
        return not (isinstance(facts, RefusedError) and facts.passed_over)

    def _examine(self, path: str) -> LibraryFacts | RefusedError:
        """`examine`, once for each file."""
        if path not in self._examined:
            try:
                self._examined[path] = examine(path, self.situation.architecture)
            except RefusedError as error:
                self._examined[path] = error
        return self._examined[path]

    def _is_loaded(self, path: str) -> bool:
        return path in self.situation.loaded

    def _candidates(
        self, name: str, names: FileNames, callers: tuple[LibraryFacts, ...], *, first: bool = False
    ) -> Iterator[Step]:
        """Every file that may be meant, unjudged, and every place where there is none, in the loader's order.

        `first` is for what was asked for, other than for what that needs.
        """
        if is_path(name):
            yield _there(Step("path", name, name, ""))
            return
        yield from self._loaded(names)
        caller = callers[0] if callers else None
        seen: set[tuple[int, int]] = set()
        # What a library needs the loader looks for by itself, in the environment that it has read.
        environment = self.situation.environment if first else self.situation.first_environment()
        for place, directories in self._before_cache(caller, callers, environment):
            yield from self._in_directories(place, directories, names, seen)
        if caller is not None and caller.flags & DF_1_NODEFLIB:
            yield Step(
                "ld.so.cache",
                caller.path,
                None,
                "is linked not to look there, nor in the default directories",
            )
            return
        yield from self._in_cache(names)
        for directory in self.situation.defaults():
            if not self._thorough and self._covered(directory):
                names = names.plain()
            yield from self._in_directories("default directories", [directory], names, seen)

    def _covered(self, directory: str) -> bool:
        """Has ldconfig seen a directory as it is now?

        Then a version that it has not written down is no library, and the thousands of names that are there need not be
        listed: that alone takes as long as everything else. Asking for a name is cheap, so the plain one is asked for.
        """
        try:
            when = os.stat(self.situation.cache_path).st_mtime_ns
            return os.stat(directory).st_mtime_ns < when and self._read_cache().mentions(directory)
        except (OSError, CacheError):
            return False

    def _before_cache(
        self,
        caller: LibraryFacts | None,
        callers: tuple[LibraryFacts, ...],
        environment: Mapping[str, str],
    ) -> Iterator[tuple[str, list[str]]]:
        if caller is None or caller.runpath is None:
            for each in callers:
                if each.rpath is not None:
                    yield f"DT_RPATH of {each.path}", self._expanded(each.rpath, each)
        yield "LD_LIBRARY_PATH", self.situation.library_path(environment)
        if caller is not None and caller.runpath is not None:
            yield f"DT_RUNPATH of {caller.path}", self._expanded(caller.runpath, caller)

    def _expanded(self, path: str, owner: LibraryFacts) -> list[str]:
        return [self.situation.expand(directory, owner.origin) for directory in split_path(path)]

    def _loaded(self, names: FileNames) -> Iterator[Step]:
        for name in names.among(self._loaded_by_name):
            path = self._loaded_by_name[name]
            yield Step(_LOADED, path, path, "")

    def _in_directories(
        self, place: str, directories: list[str], names: FileNames, seen: set[tuple[int, int]]
    ) -> Iterator[Step]:
        if not directories:
            yield Step(place, "", None, "not set" if place == "LD_LIBRARY_PATH" else "empty")
        for directory in directories:
            try:
                status = os.stat(directory)
            except (OSError, ValueError) as error:
                yield Step(place, directory, None, getattr(error, "strerror", None) or str(error))
                continue
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                yield from self._in_directory(place, directory, names)

    def _in_directory(self, place: str, directory: str, names: FileNames) -> Iterator[Step]:
        if os.path.isdir(special := os.path.join(directory, "glibc-hwcaps")):
            for level in hwcaps.supported():
                yield from _listed(place, os.path.join(special, level), names, [])
        yield from _listed(place, directory, names, [Step(place, directory, None, f"no {names} there")])

    def _in_cache(self, names: FileNames) -> Iterator[Step]:
        place, path = "ld.so.cache", self.situation.cache_path
        try:
            cache = self._read_cache()
            entries = cache.matching(names.stems, names.among)
        except OSError as error:
            yield Step(place, path, None, error.strerror or str(error))
            return
        except CacheError as error:
            yield Step(place, path, None, f"passed over: {error}")
            return
        if not entries:
            yield Step(place, path, None, f"none of its {len(cache)} entries is {names}")
        for entry in entries:
            step = Step(place, path, entry.path, "")
            if entry.hwcaps is not None and entry.hwcaps not in hwcaps.supported():
                yield step._replace(
                    reason=f"for processors of the kind {entry.hwcaps}, which this one is not"
                )
            else:
                yield _there(step)

    def _read_cache(self) -> LoaderCache:
        if self._cache is None:
            try:
                self._cache = LoaderCache.read(self.situation.cache_path)
            except (CacheError, OSError) as error:
                self._cache = error
        if isinstance(self._cache, LoaderCache):
            return self._cache
        raise self._cache


_LOADED = "loaded already"


def _listed(place: str, directory: str, names: FileNames, otherwise: list[Step]) -> list[Step]:
    """The files of those names in a directory."""
    try:
        found = names.inside(directory)
    except OSError as error:
        return [Step(place, directory, None, error.strerror or str(error))] if otherwise else []
    return [Step(place, directory, os.path.join(directory, name), "") for name in found] or otherwise


def _there(step: Step) -> Step:
    """The step of a file that may have been removed since somebody wrote down its name."""
    return step if os.path.exists(step.path or "") else step._replace(reason="no such file")
