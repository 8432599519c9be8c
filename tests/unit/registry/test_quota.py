"""How much code the account may keep, counted as Lambda counts it."""

from __future__ import annotations

import pytest

from controlplane.model.configuration import ConfigurationChange
from controlplane.registry.quota import CODE_BYTES_MAX
from emberd.wire.errors import CapacityError
from tests.unit.registry.conftest import CODE_1, CODE_2

ONE, TWO = len(CODE_1.zip_file), len(CODE_2.zip_file)


async def test_every_version_of_functions_and_layers_counts(bench):
    usage = bench.registry.usage
    assert (usage().functions, usage().code_bytes, usage().code_bytes_max) == (0, 0, CODE_BYTES_MAX)
    await bench.create(publish=True)
    assert (usage().functions, usage().code_bytes) == (1, 2 * ONE)
    await bench.update_code()
    assert usage().code_bytes == ONE + TWO
    await bench.publish_layer()
    assert usage().code_bytes == ONE + 2 * TWO
    await bench.open()
    assert bench.registry.usage().code_bytes == ONE + 2 * TWO
    await bench.registry.delete("thumb", "")
    assert bench.registry.usage().code_bytes == TWO


async def test_what_grows_beyond_the_limit_is_refused_and_what_does_not_grow_is_taken(bench):
    bench.code_bytes_max = ONE
    await bench.open()
    await bench.create()
    for grow in (bench.publish, bench.publish_layer, lambda: bench.create("other")):
        with pytest.raises(CapacityError) as refused:
            await grow()
        assert refused.value.reason == "CODE_STORAGE_EXCEEDED"
        assert refused.value.message == "Code storage limit exceeded."
    assert bench.registry.usage().code_bytes == ONE
    await bench.configure(ConfigurationChange(timeout_s=4))
    await bench.registry.delete("thumb", "")
    await bench.create("other")
