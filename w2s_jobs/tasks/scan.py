"""SCAN: commands in a small English become sequences of actions (Lake and Baroni 2018, appendix, figures 6 and 7).

All 20,910 pairs are made from the grammar, so nothing is downloaded. A command is one phrase or two joined by `and` or
`after`; a phrase is a verb with an optional direction (plain, `opposite`, `around`) and an optional `twice`/`thrice`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from w2s_jobs.core.answers.sequences import SymbolSequence
from w2s_jobs.tasks.family import BadRecordError, Row

__all__ = ["Scan"]

_VERBS = {"walk": ("I_WALK",), "look": ("I_LOOK",), "run": ("I_RUN",), "jump": ("I_JUMP",), "turn": ()}
_TURNS = {"left": ("I_TURN_LEFT",), "right": ("I_TURN_RIGHT",)}
_TIMES = {"": 1, " twice": 2, " thrice": 3}
_ACTIONS = sorted({action for actions in (*_VERBS.values(), *_TURNS.values()) for action in actions})
_ANSWERS = SymbolSequence(_ACTIONS)


def _phrases() -> Iterator[tuple[str, tuple[str, ...]]]:
    for verb, act in _VERBS.items():
        moves = [] if verb == "turn" else [(verb, act)]  # `turn` alone is no command of the grammar
        for direction, turn in _TURNS.items():
            moves.append((f"{verb} {direction}", turn + act))
            moves.append((f"{verb} opposite {direction}", turn + turn + act))
            moves.append((f"{verb} around {direction}", (turn + act) * 4))
        for command, actions in moves:
            for times, count in _TIMES.items():
                yield command + times, actions * count


class Scan:
    """The family of SCAN. An answer is a non-empty sequence of known actions."""

    name = "scan"
    train_files: tuple[str, ...] = ("train.txt", "train.jsonl")
    test_files: tuple[str, ...] = ("test.txt", "test.jsonl")

    def generate(self) -> Iterator[Row]:
        """Yield all 20,910 pairs in the order of the grammar."""
        phrases = list(_phrases())
        for command, actions in phrases:
            yield self._row(command, actions)
        for first, first_actions in phrases:
            for second, second_actions in phrases:
                yield self._row(f"{first} and {second}", first_actions + second_actions)
                yield self._row(f"{first} after {second}", second_actions + first_actions)

    def parse(self, record: Mapping[str, Any]) -> Row:
        """Read `IN: command OUT: actions` (as {"text": line}) or {"question", "answer"}."""
        if "text" in record:
            command, found, actions = str(record["text"]).removeprefix("IN:").partition("OUT:")
            if not found:
                raise BadRecordError(f"expected 'IN: command OUT: actions'; got {record['text']!r:.80}")
        else:
            command, actions = str(record.get("question", "")), str(record.get("answer", ""))
        if not command.strip():
            raise BadRecordError("question is empty; expected a command")
        answer = self.extract(actions)
        if answer is None:
            raise BadRecordError(f"answer {actions!r:.80} is not a sequence of {', '.join(_ACTIONS)}")
        return self._row(command.strip(), tuple(answer.split()))

    def extract(self, text: str) -> str | None:
        """Return the actions with single blanks between, or None where anything else stands among them."""
        return _ANSWERS.extract(text)

    def canonical(self, answer: str) -> str | None:
        """Equal sequences are equal strings."""
        return answer

    def equal(self, a: str, b: str) -> bool:
        """Exact match."""
        return a == b

    def is_chain_of_thought(self, text: str) -> bool:
        """SCAN has no chain of thought: the answer is the derivation, so every valid answer counts as one."""
        return self.extract(text) is not None

    def format_answer(self, answer: str) -> str:
        """The answer is the completion."""
        return answer

    @staticmethod
    def _row(command: str, actions: tuple[str, ...]) -> Row:
        answer = " ".join(actions)
        return Row(question=command, answer=answer, completion=answer)
