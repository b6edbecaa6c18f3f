"""Digests: the same content has the same digest, and different content has a different one."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.fingerprint import PARTS, differing_parts, json_digest, make_fingerprint, table_digest


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": np.array([1, 2, 3], dtype="int16"),
            "share": np.array([0.5, np.nan, -1.0], dtype="float32"),
            "kind": pd.Categorical(["b", "a", None], categories=["a", "b"]),
            "day": pd.to_datetime(["2013-01-01", "2013-01-02", "2013-01-03"]).astype("datetime64[ms]"),
            "yes": [True, False, True],
        }
    )


def parquet(frame: pd.DataFrame) -> pd.DataFrame:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return pd.read_parquet(io.BytesIO(buffer.getvalue()))


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(parquet, id="Parquet"),
        pytest.param(lambda frame: frame.set_axis([7, 8, 9]), id="other index"),
        pytest.param(lambda frame: pd.concat([frame, frame])[:3], id="slice of a larger table"),
        pytest.param(lambda frame: frame.iloc[::-1].iloc[::-1], id="reversed twice"),
        pytest.param(lambda frame: frame.assign(number=frame["number"].astype(">i2").astype("int16")), id="copied"),
    ],
)
def test_how_a_table_is_stored_does_not_matter(stored: Any) -> None:
    assert table_digest(stored(table())) == table_digest(table())


def test_every_not_a_number_counts_as_the_same() -> None:
    usual = pd.DataFrame({"x": np.array([np.nan], dtype="float32")})
    odd = pd.DataFrame({"x": np.frombuffer(b"\x01\x00\xc0\xff", dtype="float32")})
    assert usual["x"].to_numpy().tobytes() != odd["x"].to_numpy().tobytes()
    assert table_digest(usual) == table_digest(odd)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda frame: frame.assign(number=np.array([1, 2, 4], dtype="int16")), id="value"),
        pytest.param(lambda frame: frame.assign(share=frame["share"].fillna(0)), id="filled"),
        pytest.param(lambda frame: frame.astype({"number": "int32"}), id="type"),
        pytest.param(lambda frame: frame.astype({"day": "datetime64[us]"}), id="unit of time"),
        pytest.param(lambda frame: frame.rename(columns={"number": "count"}), id="name"),
        pytest.param(lambda frame: frame[["share", "number", "kind", "day", "yes"]], id="order of columns"),
        pytest.param(lambda frame: frame.iloc[::-1], id="order of rows"),
        pytest.param(lambda frame: frame.iloc[:2], id="rows"),
        pytest.param(lambda frame: frame.drop(columns="yes"), id="columns"),
        pytest.param(lambda frame: frame.assign(kind=frame["kind"].cat.rename_categories(["a", "c"])), id="category"),
        pytest.param(lambda frame: frame.assign(kind=frame["kind"].cat.add_categories("c")), id="unused category"),
    ],
)
def test_any_other_content_has_another_digest(changed: Any) -> None:
    assert table_digest(changed(table())) != table_digest(table())


@pytest.mark.parametrize("values", [["a", "b"], [1, "b"], [None, {}]])
def test_a_column_without_one_form_is_refused_by_its_name(values: list[Any]) -> None:
    with pytest.raises(TypeError, match=r"column 'text' of type .* has no digest"):
        table_digest(pd.DataFrame({"text": values}))


def test_json_digest_is_the_sha256_of_the_compact_text() -> None:
    # printf '{"a":1,"b":[0.1]}' | sha256sum
    assert json_digest({"b": [0.1], "a": 1}) == "da65f37e2098a5185eeb8569adfefa99cc5622e6701a102310254f9dab4aaab6"


def test_json_digest_sees_the_last_digit() -> None:
    assert json_digest(0.1 + 0.2) != json_digest(0.3)


def test_json_digest_refuses_what_json_does_not_know() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_digest(float("nan"))


def parts(**changes: Any) -> dict[str, Any]:
    return {name: changes.get(name, {"value": name}) for name in PARTS}


def test_a_fingerprint_is_the_parts_and_their_common_digest() -> None:
    made = make_fingerprint(parts())
    assert set(made) == {"fingerprint", "data", "hyperparameters", "metrics", "predictions", "model"}
    assert len(made["fingerprint"]) == 64
    assert make_fingerprint(dict(reversed(parts().items()))) == made


@pytest.mark.parametrize("name", PARTS)
def test_each_part_changes_the_fingerprint_and_is_named_as_differing(name: str) -> None:
    first, second = make_fingerprint(parts()), make_fingerprint(parts(**{name: 1}))
    assert first["fingerprint"] != second["fingerprint"]
    assert differing_parts(first, second) == [name]


def test_equal_fingerprints_differ_in_nothing() -> None:
    assert differing_parts(make_fingerprint(parts()), make_fingerprint(parts())) == []


def test_a_fingerprint_without_one_of_its_parts_is_refused() -> None:
    with pytest.raises(KeyError, match="metrics"):
        make_fingerprint({name: 1 for name in PARTS if name != "metrics"})
