from __future__ import annotations

from controller.local.log_tail import error_of, read_tail


def test_the_steps_own_error_comes_first_and_the_rest_stays_in_order():
    tail = ["loading", "error: prepare/1234: no file train.jsonl", "freeing memory"]
    assert error_of(tail, 42) == ("error: prepare/1234: no file train.jsonl", ["loading", "freeing memory"])


def test_a_killed_process_is_explained():
    message, rest = error_of(["step 3"], 137)
    assert "signal 9" in message
    assert "memory" in message
    assert rest == ["step 3"]


def test_other_signals_and_codes_are_named():
    assert "signal 11" in error_of([], 139)[0]
    assert "exit code 7" in error_of([], 7)[0]


def test_only_the_end_of_a_long_log_is_read(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"line {i}\n" for i in range(100_000)) + "\n\n")
    assert read_tail(log, lines=2) == ["line 99998", "line 99999"]


def test_bytes_that_are_no_text_do_not_break_the_tail(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"\xff\xfe bad\nerror: x\n")
    assert read_tail(log)[-1] == "error: x"


def test_a_missing_log_has_no_tail(tmp_path):
    assert read_tail(tmp_path / "none") == []
