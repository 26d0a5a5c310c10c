"""Reading a bucket at the leader of a real server's stream."""

import pytest
from nats.js import JetStreamContext

from oneapi.bus import leader_reading
from oneapi.bus.leader_reading import UnreadableAnswer
from oneapi.bus.subjects import BUCKET_STATE


async def test_names_and_values(js: JetStreamContext) -> None:
    bucket = await js.key_value(BUCKET_STATE)
    assert await leader_reading.names(js, BUCKET_STATE) == set()
    for number in range(300):
        await bucket.put(f"some.{number}", f"value {number}".encode())
    await bucket.put("other", b"")
    await bucket.delete("some.7")
    await bucket.purge("some.8")
    assert await leader_reading.names(js, BUCKET_STATE, "some.>") == {f"some.{number}" for number in range(300)}
    assert "other" in await leader_reading.names(js, BUCKET_STATE)
    keys = ("some.6", "some.7", "some.8", "other", "nobody")
    assert [await leader_reading.newest(js, BUCKET_STATE, key) for key in keys] == [b"value 6", None, None, b"", None]
    state = await leader_reading.state(js, BUCKET_STATE)
    assert (state.last_seq, state.num_subjects, state.subjects) == (303, 301, None)


async def test_a_bucket_that_is_not_there(js: JetStreamContext) -> None:
    with pytest.raises(UnreadableAnswer):
        await leader_reading.names(js, "nowhere")
