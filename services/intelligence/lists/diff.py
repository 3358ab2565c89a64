"""What changed between two releases of a list, and whether a release may act without a person."""

from collections.abc import Collection, Mapping

import msgspec

from services.intelligence.lists.spec import ListSpec


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Publisher's uids, each group sorted."""

    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


def compare(old: Mapping[str, str], new: Mapping[str, str], *, unread: Collection[str] = ()) -> Changes:
    """ADD/MOD/DEL from uid -> content digest of both releases.

    An entry whose row stands in the new release but could not be read (`unread`) is not deleted: damage must release nobody.
    """
    kept = frozenset(unread)
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        modified=tuple(sorted(uid for uid, digest in new.items() if old.get(uid, digest) != digest)),
        deleted=tuple(sorted(old.keys() - new.keys() - kept)),
    )


def guard(spec: ListSpec, old_count: int, changes: Changes, new_count: int, *, nameless: int = 0) -> str | None:
    """Why a release must wait for a named person, or None.

    Measures what goes, not only the difference of the counts: a release that swaps most entries for others is as suspicious as a short one.
    `nameless`: rows of which not even the publisher's uid could be read; an entry that goes may stand in one of them.
    """
    if new_count < spec.minimum_entries:
        return f"The release holds {new_count} entries; at least {spec.minimum_entries} are expected"
    gone = len(changes.deleted)
    if nameless and gone:
        return (
            f"Of {nameless} damaged rows it is not known whose they are, and {gone} of the entries in force stand in no other row; "
            "that these go must be accepted by a person"
        )
    if old_count and gone / old_count > spec.max_shrink_share:
        return (
            f"The release holds {new_count} entries and removes {gone} of the {old_count} in force ({gone / old_count:.1%}); "
            f"more than {spec.max_shrink_share:.1%} must be accepted by a person"
        )
    return None
