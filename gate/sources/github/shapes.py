"""What is read of GitHub's answers, and nothing else of them.

Shapes as in https://docs.github.com/en/rest; a key that is missing or of another type is an answer
that cannot be read, not a default.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, NonNegativeInt


class Shape(BaseModel):
    """A JSON object of which some keys are read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Account(Shape):
    """A person's or an app's."""

    login: str
    type: str = "User"


# Of a deleted account, and of a commit by someone unknown to GitHub, comes null or {}.
Someone = Annotated[Account | None, BeforeValidator(lambda value: value or None)]


class Label(Shape):
    """A label of a pull request."""

    name: str


class End(Shape):
    """One end of a pull request. Its `repo` is null where a fork was deleted, and is not read."""

    ref: str
    sha: str


class Pull(Shape):
    """`GET /repos/O/R/pulls/N`."""

    number: int
    title: str
    draft: bool = False
    merged: bool
    merge_commit_sha: str | None = None
    user: Someone = None
    merged_by: Someone = None
    base: End
    head: End
    labels: list[Label]
    commits: NonNegativeInt
    additions: NonNegativeInt
    deletions: NonNegativeInt
    changed_files: NonNegativeInt


class Brief(Shape):
    """An entry of `GET /repos/O/R/commits/SHA/pulls`."""

    number: int
    merged_at: str | None = None


class ChangedFile(Shape):
    """An entry of `GET /repos/O/R/pulls/N/files`, or of the `files` of a comparison.

    `patch` is missing for binary files, and where it would be too long.
    """

    filename: str
    previous_filename: str | None = None
    status: str
    additions: NonNegativeInt
    deletions: NonNegativeInt
    sha: str | None = None
    patch: str | None = None


class Said(Shape):
    """What a commit says."""

    message: str


class Parent(Shape):
    """A commit before."""

    sha: str


class Commit(Shape):
    """`GET /repos/O/R/commits/REF`, and an entry of a list of commits."""

    sha: str
    commit: Said
    author: Someone = None
    committer: Someone = None
    parents: list[Parent] = []

    @property
    def subject(self) -> str:
        """The first line of what it says."""
        return self.commit.message.partition("\n")[0]


class Comparison(Shape):
    """`GET /repos/O/R/compare/BASE...HEAD`, its first page: files are on no other."""

    ahead_by: NonNegativeInt
    behind_by: NonNegativeInt
    total_commits: NonNegativeInt
    base_commit: Commit
    commits: list[Commit]
    files: list[ChangedFile] = []


class Review(Shape):
    """An entry of `GET /repos/O/R/pulls/N/reviews`, the oldest first."""

    id: int
    user: Someone = None
    state: str
    commit_id: str | None = None
    author_association: str = "NONE"


class CheckRun(Shape):
    """An entry of `GET /repos/O/R/commits/SHA/check-runs`."""

    name: str
    status: str
    conclusion: str | None = None


class Status(Shape):
    """An entry of the `statuses` of `GET /repos/O/R/commits/SHA/status`: a context's last."""

    context: str
    state: str


class Context(Shape):
    """A check that a branch requires."""

    context: str


class Required(Shape):
    """The checks that a branch's protection requires."""

    contexts: list[str] = []
    checks: list[Context] = []


class Protection(Shape):
    """A branch's protection, as everyone who can read the branch sees it."""

    required_status_checks: Required | None = None


class Branch(Shape):
    """`GET /repos/O/R/branches/B`."""

    protected: bool
    protection: Protection | None = None


class Parameters(Shape):
    """What a rule about checks says; other rules say other things."""

    required_status_checks: list[Context] = []


class Rule(Shape):
    """An entry of `GET /repos/O/R/rules/branches/B`."""

    type: str
    parameters: Parameters | None = None
