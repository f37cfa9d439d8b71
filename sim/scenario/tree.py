"""A scenario file as a tree of text that remembers where each value was written.

Takes YAML text; gives nodes (:class:`Scalar`, :class:`Listing`, :class:`Mapping`) with file, line
and evidence, and :class:`Document`, the merged result. YAML is read as events and never
constructed: every scalar stays the text that was written, so ``NO`` is a country and ``17:00`` a
time. Anchors, aliases, merge keys and tags are refused when they are met, before anything could be
expanded. Reading is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import yaml

from sim.errors import Problem, suggest
from sim.model.base import FieldPath, describe_found
from sim.model.evidence import Evidence, EvidenceNote

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"

DEPTH_MAX = 40
_TOO_DEEP = f"found more than {DEPTH_MAX} levels of nesting; allowed: fewer"
KEY_LENGTH_MAX = 200
NULLS = frozenset({"null", "~"})
GIVEN_EVIDENCE = tuple(grade.value for grade in Evidence if grade is not Evidence.ASSUMED)
_WRAPPERS = ({"value", "evidence"}, {"value", "evidence", "source"})
_UNPRINTABLE = re.compile(
    "[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written; no file and line 0 mean the command line."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Note:
    """The evidence a user gave for a value."""

    kind: Evidence
    source: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, as the text that was written."""

    text: str
    place: Place
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list; merging replaces it as a whole."""

    items: tuple[Node, ...]
    place: Place
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a mapping, and where its key stands."""

    key_place: Place
    node: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping by name; never changed once built."""

    entries: dict[str, Entry]
    place: Place
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """An explicit ``null``: the inherited value is deleted."""

    place: Place
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value in which two parents differ and which no child has settled yet."""

    first: Place
    second: Place
    place: Place
    note: Note | None = None


Node: TypeAlias = Scalar | Listing | Mapping | Absent | Conflict


@dataclass(frozen=True)
class Document:
    """A scenario after ``extends`` and overrides, with the origin of every value.

    Attributes
    ----------
    root : Mapping
        The merged nodes.
    files : tuple of Path
        Every file read, the scenario itself first.
    tree : dict
        The same as plain nested dictionaries, lists and text.
    evidence : dict
        Path to note, for every value that carried evidence.
    """

    root: Mapping
    files: tuple[Path, ...]
    tree: dict[str, Tree] = field(init=False)
    evidence: dict[FieldPath, EvidenceNote] = field(init=False)

    def __post_init__(self) -> None:
        tree = plain_tree(self.root)
        assert isinstance(tree, dict)
        # The class is frozen; both follow from the root and are worked out once.
        object.__setattr__(self, "tree", tree)
        object.__setattr__(self, "evidence", {note.path: note for note in _notes(self.root, ())})

    def place(self, path: FieldPath, *, is_key: bool = False) -> tuple[str, int]:
        """Return the file and line of a value, or of the nearest parent that was written.

        Parameters
        ----------
        path : tuple of str or int
            Keys and list positions from the top.
        is_key : bool
            Whether the key is meant and not the value (they may stand on different lines).
        """
        node: Node = self.root
        place = self.root.place
        for step in path:
            if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
                entry = node.entries[step]
                node = entry.node
                # A mapping or list begins below its key; people look for the key.
                # A message about a value leads to the value, one about a section to its name.
                place = node.place if isinstance(node, Scalar) and not is_key else entry.key_place
            elif isinstance(node, Listing) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
                place = node.place
            else:
                break
        return place.file, place.line


def plain_tree(node: Node) -> Tree:
    """Return nodes as nested dictionaries, lists and text."""
    match node:
        case Scalar():
            return node.text
        case Listing():
            return [plain_tree(item) for item in node.items]
        case Mapping():
            return {key: plain_tree(entry.node) for key, entry in node.entries.items()}
        case _:
            raise AssertionError(f"{type(node).__name__} left in a finished tree at {node.place}")


def flow_text(tree: Tree) -> str:
    """Write a value on one line, as in ``{lognormal: {median: 0.8 s, sigma: 0.5}}``."""
    if isinstance(tree, str):
        return tree
    if isinstance(tree, list):
        return f"[{', '.join(map(flow_text, tree))}]"
    return f"{{{', '.join(f'{key}: {flow_text(value)}' for key, value in tree.items())}}}"


def _notes(node: Node, path: FieldPath) -> Iterator[EvidenceNote]:
    if node.note is not None:
        text = flow_text(plain_tree(node))
        yield EvidenceNote(path, node.note.kind, node.note.source, text)
    if isinstance(node, Mapping):
        for key, entry in node.entries.items():
            yield from _notes(entry.node, (*path, key))
    elif isinstance(node, Listing):
        for position, item in enumerate(node.items):
            yield from _notes(item, (*path, position))


def parse_text(text: str, file: str, problems: list[Problem], *, prefix: str = "") -> Node | None:
    """Read one YAML document into nodes.

    Parameters
    ----------
    text : str
        The YAML text.
    file : str
        Name for places; empty for text of the command line, whose lines are not counted.
    problems : list of Problem
        Collects everything that is wrong with the text.
    prefix : str
        Dotted path the text will stand at, for messages.

    Returns
    -------
    Node or None
        None when the text could not be read to its end.
    """
    reader = _Reader(file, problems, prefix)
    # Before YAML sees it: the parser would stop there with a message of its own.
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        line = text.count("\n", 0, unprintable.start()) + 1
        character = f"U+{ord(unprintable[0]):04X}"
        reader.report(line, f"found the character {character}; allowed: printable text")
        return None
    try:
        return reader.read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # Where the text breaks is seldom inside the field that was being read.
        reader = _Reader(file, problems, prefix)
        reader.report(mark.line + 1 if mark else 0, _yaml_message(error, text))
    except yaml.YAMLError as error:
        reader.report(0, f"found text that is not YAML ({error})")
    except _TooDeep:
        pass
    return None


def _yaml_message(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    lines = text.split("\n")
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in (error.problem or ""):
        return "found a tab; allowed: spaces for indentation"
    # Newer parsers give up by themselves, before this one has counted the levels.
    if "nesting depth" in (error.problem or ""):
        return _TOO_DEEP
    reason = ", ".join(part for part in (error.context, error.problem) if part)
    return f"found text that is not YAML ({reason})"


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


class _TooDeep(Exception):
    """End of reading: the text is nested too deeply."""


class _Reader:
    """Reader of one YAML text, event by event, into nodes."""

    def __init__(self, file: str, problems: list[Problem], prefix: str) -> None:
        self._file = file
        self._problems = problems
        self._path: list[str] = [prefix] if prefix else []
        self._events: Iterator[yaml.Event] = iter(())

    def report(self, line: int, message: str) -> None:
        """Collect a problem at the path being read."""
        place = self._place(line)
        self._problems.append(Problem(place.file, place.line, ".".join(self._path), message))

    def read(self, text: str) -> Node | None:
        """Read the only document of a text."""
        # The fast parser where it is built in; both give the same events.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events = iter(yaml.parse(text, Loader=loader))
        node: Node | None = None
        is_first = True
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if not is_first:
                    line = _line(event)
                    self.report(line, "found a second document ('---'); allowed: one per file")
                    return None
                is_first = False
                node = self._node(next(self._events), depth=1)
        if node is None:
            self.report(1, "found nothing; allowed: a mapping of fields")
        return node

    def _place(self, line: int) -> Place:
        return Place(self._file, line if self._file else 0)

    def _node(self, event: yaml.Event, depth: int) -> Node:
        line = _line(event)
        place = self._place(line)
        # Aliases can make a file of a kilobyte a tree of gigabytes. They are refused when met,
        # before anything is copied.
        if isinstance(event, yaml.AliasEvent):
            self.report(line, f"found the alias '*{event.anchor}'; allowed: values written out")
            return Absent(place)
        if getattr(event, "anchor", None):
            anchor = getattr(event, "anchor", "")
            self.report(line, f"found the anchor '&{anchor}'; allowed: values without anchors")
        if getattr(event, "tag", None):
            tag = describe_found(getattr(event, "tag", ""))
            self.report(line, f"found the tag {tag}; allowed: values without tags")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        # Recursion of ours, so its depth is ours to bound.
        if depth > DEPTH_MAX:
            self.report(line, _TOO_DEEP)
            raise _TooDeep
        if isinstance(event, yaml.SequenceStartEvent):
            return self._listing(place, depth)
        assert isinstance(event, yaml.MappingStartEvent)
        return self._mapping(place, depth)

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Scalar | Absent:
        is_plain = event.style in (None, "")
        # Only written plainly: in quotes it is the word.
        if is_plain and event.value in NULLS:
            return Absent(place)
        # A key with nothing behind it is nearly always a line that was forgotten.
        if is_plain and not event.value:
            line = _line(event)
            self.report(
                line,
                "found nothing; allowed: a value, {} for an empty mapping, '' for empty text, "
                "null to delete an inherited value",
            )
            return Absent(place)
        strange = yaml.reader.Reader.NON_PRINTABLE.search(event.value)
        if strange is not None:
            # What the reader refuses in a file must not come in through an escape either: the
            # run folder's own copy could not be read back.
            self.report(
                _line(event),
                f"found the control character U+{ord(strange.group()):04X}; allowed: text",
            )
            return Absent(place)
        return Scalar(event.value, place)

    def _listing(self, place: Place, depth: int) -> Listing:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            self._path.append(str(len(items)))
            # An item that was refused for another reason stands as absent, too.
            count = len(self._problems)
            item = self._node(event, depth + 1)
            if isinstance(item, Absent) and len(self._problems) == count:
                line = _line(event)
                self.report(line, "found null in a list; allowed: the list written without it")
            self._path.pop()
            items.append(item)
        return Listing(tuple(items), place)

    def _mapping(self, place: Place, depth: int) -> Node:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            key = self._key(event, depth)
            self._path.append(key)
            node = self._node(next(self._events), depth + 1)
            # YAML keeps the last one silently; a user means one of them.
            if key in entries:
                first = entries[key].key_place.line
                where = f" (first on line {first})" if first else ""
                self.report(line, f"found {key!r} a second time{where}; allowed: each key once")
            elif key:
                entries[key] = Entry(self._place(line), node)
            self._path.pop()
        mapping = Mapping(entries, place)
        # Only below the top: a scenario may have a field called value.
        return self._unwrap(mapping) if self._path and set(entries) in _WRAPPERS else mapping

    def _key(self, event: yaml.Event, depth: int) -> str:
        line = _line(event)
        node = self._node(event, depth + 1)
        if isinstance(event, yaml.ScalarEvent):
            key = event.value
            if key == "<<" and event.style in (None, ""):
                self.report(line, "found the merge key '<<'; allowed: 'extends' for whole files")
            elif len(key) > KEY_LENGTH_MAX:
                self.report(line, f"found a key of {len(key)} characters; allowed: a name")
                key = key[:KEY_LENGTH_MAX]
            return key
        if isinstance(node, (Listing, Mapping)):
            self.report(line, f"found {describe_found(plain_kind(node))} as a key; allowed: a name")
        return ""

    def _unwrap(self, wrapper: Mapping) -> Node:
        """Take the value out of ``{value, evidence, source}`` and note the evidence on it."""
        node = wrapper.entries["value"].node
        kind = self._wrapper_text(wrapper, "evidence")
        source = self._wrapper_text(wrapper, "source") if "source" in wrapper.entries else ""
        # ``assumed`` is what a value without evidence is.
        if kind and kind not in GIVEN_EVIDENCE:
            line = wrapper.entries["evidence"].key_place.line
            allowed = ", ".join(GIVEN_EVIDENCE)
            hint = suggest(kind[:20], GIVEN_EVIDENCE)
            message = f"found {describe_found(kind)} as evidence; allowed: {allowed}"
            self.report(line, f"{message}.{hint}" if hint else message)
            return node
        if isinstance(node, Absent) or node.note is not None:
            line = wrapper.entries["value"].key_place.line
            self.report(line, "found null or another wrapper as value; allowed: the value itself")
            return node
        return replace(node, note=Note(Evidence(kind), source)) if kind else node

    def _wrapper_text(self, wrapper: Mapping, key: str) -> str:
        entry = wrapper.entries[key]
        if isinstance(entry.node, Scalar):
            return entry.node.text
        self.report(entry.key_place.line, f"found {key} without text; allowed: a word")
        return ""


def plain_kind(node: Node) -> Tree:
    """Return an empty value of the node's kind, for messages."""
    return {} if isinstance(node, Mapping) else [] if isinstance(node, Listing) else ""
