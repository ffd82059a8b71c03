"""What differs between two renderings, counted as a BDII will add, modify and delete."""

import pytest

from infoprovider.publication.changes import Changes, changes_between

A, B, C = (f"dn: GLUE2GroupID={name},o=glue\nGLUE2GroupID: {name}\n\n".encode() for name in "abc")
B_CHANGED = b"dn: GLUE2GroupID=b,o=glue\nGLUE2GroupID: b\nGLUE2EntityName: B\n\n"


@pytest.mark.parametrize(
    ("former", "body", "changes"),
    [
        (None, A + B, Changes(added=2)),
        (A + B, A + B, Changes()),
        (A + B, B + A, Changes()),
        (A + B, A + B_CHANGED, Changes(modified=1)),
        (A + B, B_CHANGED + C, Changes(added=1, modified=1, deleted=1)),
        (A + B, b"", Changes(deleted=2)),
    ],
)
def test_entries_are_compared_by_their_name_and_by_all_that_they_say(
    former: bytes | None, body: bytes, changes: Changes
) -> None:
    """Whatever their order; without a former rendering every entry is new."""
    assert changes_between(former, body) == changes
