"""Reading a bucket at the leader of a real server's stream."""

import pytest
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from oneapi.bus import leader_reading
from oneapi.bus.leader_reading import NoLeaderAnswered
from oneapi.bus.subjects import BUCKET_STATE, bucket_stream


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
    state = await leader_reading.state(js, bucket_stream(BUCKET_STATE))
    assert (state.first_seq, state.last_seq, state.num_subjects, state.subjects) == (1, 303, 301, None)


async def test_a_bucket_that_is_not_there(js: JetStreamContext) -> None:
    with pytest.raises(NoLeaderAnswered):
        await leader_reading.names(js, "nowhere")
    with pytest.raises(NotFoundError):
        await leader_reading.newest(js, "nowhere", "key")
