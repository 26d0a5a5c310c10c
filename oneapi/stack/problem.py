"""The one error that the stack shows to a person: a sentence, and the command that helps where there is one.

It decides nothing and knows no server.
"""


class StackProblem(Exception):
    """Something that a person must settle. `str()` is one clear sentence, `command` what to run, or ""."""

    def __init__(self, sentence: str, command: str = "") -> None:
        super().__init__(sentence)
        self.command = command

    def text(self) -> str:
        """The sentence, with the command at its end when there is one."""
        return f"{self} Run: {self.command}" if self.command else str(self)
