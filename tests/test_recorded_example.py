import runpy
import shutil
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "examples" / "recorded"


def test_the_recording_is_what_its_script_writes(tmp_path, capsys):
    script = shutil.copy(EXAMPLE / "record.py", tmp_path)
    runpy.run_path(script, run_name="__main__")
    written = (tmp_path / "recording.json").read_bytes()
    assert written == (EXAMPLE / "recording.json").read_bytes()
    assert len(written) < 250_000
    assert capsys.readouterr().out == "recording.json: 156 series of 3 releases\n"
