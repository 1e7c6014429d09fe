import json


def test_each_value_stands_with_its_origin(lossfw):
    result = lossfw("config", "run.yaml", "-o", "evaluate.batch_size=3")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split("#") for line in result.stdout.splitlines()]
    told = {text.strip(): rest[-1].strip() for text, *rest in lines if rest}
    assert told["guard: none"] == "run.yaml:4:36"
    assert told["batch_size: 3"] == "-o evaluate.batch_size=3"
    assert told["seed: 0"] == "default"
    assert "# delta: 1e-07" in result.stdout


def test_what_is_printed_runs_to_the_same_result(lossfw, folder):
    wanted = lossfw("run", "run.yaml", "-o", "loss.guard=additive", "--json").stdout
    for form in ([], ["--plain"]):
        text = lossfw("config", "run.yaml", "-o", "loss.guard=additive", *form).stdout
        (folder / "again.yaml").write_text(text)
        assert lossfw("run", "again.yaml", "--json").stdout == wanted


def test_the_plain_form_has_no_comment(lossfw):
    assert "#" not in lossfw("config", "run.yaml", "--plain").stdout


def test_it_is_there_in_json(lossfw):
    told = json.loads(lossfw("config", "run.yaml", "--json").stdout)
    assert told["config"]["loss"] == {"name": "cross_entropy", "guard": "none"}
    (guard,) = [value for value in told["values"] if value["path"] == ["loss", "guard"]]
    assert guard == {"path": ["loss", "guard"], "value": "none", "origin": "run.yaml:4:36"}


def test_a_mistake_is_a_mistake(lossfw):
    result = lossfw("config", "run.yaml", "-o", "loss=hubber")
    assert result.exit_code == 2
    assert "did you mean 'huber'?" in result.stderr
