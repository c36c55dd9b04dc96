"""The copy of a cluster's objects: what is newer wins, and nothing comes back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.kube.cache import Cache, Change, Object


def pod(name: str, version: int, job: str = "") -> Object:
    return {"metadata": {"name": name, "namespace": "a", "resourceVersion": str(version)}, "job": job}


def by_job(obj: Object) -> list[str]:
    return [obj["job"]] if obj["job"] else []


def test_an_older_event_does_not_replace_what_a_writer_noted() -> None:
    cache = Cache()
    cache.note("", pod("x", 12))
    assert cache.put("", pod("x", 11)) is None
    assert cache.get("a", "x") == pod("x", 12)


def test_the_event_of_a_noted_write_is_no_change() -> None:
    cache = Cache()
    cache.note("", pod("x", 12))
    assert cache.put("", pod("x", 12)) is None


def test_a_late_note_does_not_bring_back_what_was_deleted() -> None:
    cache = Cache()
    cache.put("", pod("x", 10))
    cache.remove("", pod("x", 11))
    assert not cache.note("", pod("x", 10))
    assert cache.get("a", "x") is None


def test_a_note_is_not_taken_once_a_bookmark_has_passed_it() -> None:
    cache = Cache()
    cache.bookmark("", 20)
    assert not cache.note("", pod("x", 20))
    assert cache.note("", pod("x", 21))


def test_the_deletion_of_an_earlier_object_of_the_same_name_does_not_touch_the_new_one() -> None:
    cache = Cache()
    cache.put("", pod("x", 10))
    cache.note("", pod("x", 15))
    assert cache.remove("", pod("x", 14)) is None
    assert cache.get("a", "x") == pod("x", 15)


def test_an_event_that_comes_a_second_time_does_not_bring_an_object_back() -> None:
    cache = Cache()
    cache.put("", pod("x", 10))
    cache.remove("", pod("x", 11))
    assert cache.put("", pod("x", 10)) is None


def test_a_list_tells_its_differences_as_changes() -> None:
    cache = Cache()
    for obj in (pod("gone", 1), pod("same", 2), pod("old", 3)):
        cache.put("", obj)
    changes = cache.relist("", [pod("same", 2), pod("old", 8), pod("new", 9)], 10)
    assert changes == [
        Change(pod("gone", 1), None),
        Change(pod("old", 3), pod("old", 8)),
        Change(None, pod("new", 9)),
    ]


def test_what_was_noted_after_a_list_was_taken_stays() -> None:
    cache = Cache()
    cache.note("", pod("x", 12))
    assert cache.relist("", [], 11) == []
    assert cache.get("a", "x") == pod("x", 12)


def test_a_list_of_one_namespace_leaves_the_others_alone() -> None:
    cache = Cache()
    cache.put("a", pod("x", 1))
    assert cache.relist("b", [], 5) == []
    assert cache.get("a", "x")


def test_a_list_from_a_restored_etcd_replaces_everything() -> None:
    cache = Cache()
    cache.put("", pod("kept", 90))
    cache.put("", pod("lost", 95))
    changes = cache.relist("", [pod("kept", 40)], 50)
    assert Change(pod("lost", 95), None) in changes
    assert cache.get("a", "kept") == pod("kept", 40)
    assert cache.put("", pod("kept", 51)) == Change(pod("kept", 40), pod("kept", 51))


def test_an_object_moves_between_the_values_of_an_index() -> None:
    cache = Cache({"job": by_job})
    cache.put("", pod("x", 1, "one"))
    cache.put("", pod("x", 2, "two"))
    assert cache.by_index("job", "one") == []
    assert cache.by_index("job", "two") == [pod("x", 2, "two")]
    cache.remove("", pod("x", 3, "two"))
    assert cache.by_index("job", "two") == []


class Follower:
    """A cache, and a listener that keeps what it is told of."""

    def __init__(self) -> None:
        self.cache = Cache({"job": by_job})
        self.told: dict[str, Object] = {}
        self.events: list[tuple[bool, Object]] = []

    def hear(self, change: Change | None) -> None:
        if change and change.new:
            self.told[change.new["metadata"]["name"]] = change.new
        elif change and change.old:
            self.told.pop(change.old["metadata"]["name"], None)

    def take(self, deleted: bool, obj: Object) -> None:
        self.hear(self.cache.remove("", obj) if deleted else self.cache.put("", obj))

    def disturb(self, what: str, index: int, state: list[Object], version: int) -> None:
        if what == "repeat":
            for event in self.events:
                self.take(*event)
        elif what == "note":
            self.cache.note("", self.events[index % len(self.events)][1])
        elif what == "bookmark":
            self.cache.bookmark("", version)
        else:
            for change in self.cache.relist("", state, version):
                self.hear(change)


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.booleans()), max_size=40),
    st.lists(st.tuples(st.sampled_from(["repeat", "note", "bookmark", "relist"]), st.integers(0, 39)), max_size=40),
)
def test_whatever_is_repeated_or_noted_between_the_events_the_end_is_the_clusters_state(
    history: list[tuple[str, bool]], noise: list[tuple[str, int]]
) -> None:
    """`history` says which object was written (or deleted) at versions 1, 2, …; `noise` what happens after which."""
    follower, true = Follower(), dict[str, Object]()
    for version, (name, deleted) in enumerate(history, start=1):
        if deleted and name not in true:
            continue
        obj = pod(name, version, job=f"job-{version % 3}")
        true.pop(name, None)
        if not deleted:
            true[name] = obj
        follower.events.append((deleted, obj))
        follower.take(deleted, obj)
        for what, index in noise:
            if index % len(history) == version - 1:
                follower.disturb(what, index, list(true.values()), version)
    assert {obj["metadata"]["name"]: obj for obj in follower.cache.all()} == true
    assert follower.told == true
    assert sum(len(follower.cache.by_index("job", f"job-{part}")) for part in range(3)) == len(true)
