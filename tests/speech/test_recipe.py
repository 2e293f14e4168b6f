from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import ConfigError, NcnnParamError
from ncnnparam.speech import CONV_EMFORMER, LSTM, ZIPFORMER, Flags, read_config, resolve
from ncnnparam.speech.recipe import read_command, read_log

from .samples import DOCS_CONV_EMFORMER, DOCS_LSTM, DOCS_ZIPFORMER, VECTORS, truth_of, vector_meta

RECIPES = {
    "conv-emformer": "conv_emformer_transducer_stateless2",
    "lstm": "lstm_transducer_stateless2",
    "zipformer": "pruned_transducer_stateless7_streaming",
}

CONV_EMFORMER_SCRIPT = """\
#!/usr/bin/env bash
# made for the model of 2022
set -eou pipefail
stage=0
exp=$HOME/models/exp   # where it is
left=32
right_context=8
memory="32"

if [ $stage -le 1 ]; then
  export CUDA_VISIBLE_DEVICES=""
  ./conv_emformer_transducer_stateless2/export-for-ncnn.py \\
    --exp-dir $exp \\
    --tokens "$exp/data dir/tokens.txt" \\
    --epoch 30 --avg 1 --use-averaged-model 0 \\
    --num-encoder-layers 12 \\
    --chunk-length=32 \\
    --cnn-module-kernel 31 \\
    --left-context-length ${left} \\
    --right-context-length $right_context \\
    --memory-size $memory \\
    --encoder-dim 512
fi
pnnx $exp/encoder_jit_trace-pnnx.pt
"""


def command_of(text):
    return read_command(text, "run.sh")


def test_reads_a_script():
    flags = command_of(CONV_EMFORMER_SCRIPT)
    assert flags.kind is CONV_EMFORMER
    resolved = resolve(flags)
    assert resolved.metadata == DOCS_CONV_EMFORMER
    assert not resolved.assumed
    assert flags.given["chunk_length"].place == "run.sh:17"
    assert flags.given["left_context_length"].place == "run.sh:19"


@pytest.mark.parametrize("name", VECTORS)
def test_the_flags_of_the_small_models(shared, name, tmp_path):
    path = tmp_path / "command.txt"
    path.write_text(f"./{RECIPES[name]}/export-for-ncnn.py {vector_meta(shared, name)['flags']}\n")
    flags = read_config(path)
    assert flags.kind is truth_of(shared, name).kind
    assert resolve(flags).metadata == truth_of(shared, name)


@pytest.mark.parametrize("metadata", [DOCS_CONV_EMFORMER, DOCS_LSTM, DOCS_ZIPFORMER])
def test_absent_flags_have_the_recipes_defaults(metadata):
    flags = command_of(f"./{RECIPES[metadata.kind.name]}/export-for-ncnn.py --epoch 99\n")
    resolved = resolve(flags)
    assert resolved.metadata.kind is metadata.kind
    assert resolved.assumed == {field.name: field.default for field in metadata.kind.flags}
    # the docs give what the recipes default to, but for the memory
    assert resolved.metadata.values() | {"memory_size": 32} == metadata.values() | {"memory_size": 32}


def test_the_memory_of_a_conv_emformer_defaults_to_none():
    assert (
        resolve(
            command_of("conv_emformer_transducer_stateless2/export-for-ncnn.py --avg 1")
        ).metadata.memory_size
        == 0
    )


@pytest.mark.parametrize(
    "command",
    [
        "python3 ./lstm_transducer_stateless3/export-for-ncnn.py --encoder-dim 64",
        "cd x && Y= python3 lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim 64 2>&1 | tee log",
        "$ ./lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim '64'",
        "+ ./lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim=64",
        "( ./lstm_transducer_stateless2/export-for-ncnn-zh.py --exp-dir $(pwd)/exp --encoder-dim 64 )",
        "f() {\n  dim=64\n  lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim $dim\n}\nf",
        "lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim 32 --encoder-dim 64",
        "dim=32; dim=64; lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim ${dim} # 32",
        "echo lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim 1\n"
        "chmod +x lstm_transducer_stateless2/export-for-ncnn.py\n"
        "# lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim 1\n"
        "cat <<EOF\nit's text\nEOF\n"
        "lstm_transducer_stateless2/export-for-ncnn.py --jit --encoder-dim 64",
        "lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim 64\r\n",
        "for i in 1 2; do\n  lstm_transducer_stateless2/export-for-ncnn.py --epoch $i --encoder-dim 64\ndone",
        "lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim 64\n"
        "lstm_transducer_stateless2/export-for-ncnn.py --epoch 7 --encoder-dim 64",
    ],
)
def test_commands_as_people_write_them(command):
    flags = command_of(command)
    assert flags.kind is LSTM
    assert resolve(flags).metadata.encoder_dim == 64


@pytest.mark.parametrize(
    "script",
    [
        "EXPORT --encoder-dim $dim",
        "dim=$1\nEXPORT --encoder-dim $dim",
        "dim=$(cat dim)\nEXPORT --encoder-dim $dim",
        "dim=`cat dim`\nEXPORT --encoder-dim $dim",
        "dim=${1:-64}\nEXPORT --encoder-dim $dim",
        "EXPORT --encoder-dim ${dim:-64}",
        "dim=64\nif [ $big = 1 ]; then\n dim=512\nfi\nEXPORT --encoder-dim $dim",
        "dim=64\nif x; then\n y=1\nelse\n dim=5\nfi\nEXPORT --encoder-dim $dim",
        "dim=64\n[ $big = 1 ] && dim=512\nEXPORT --encoder-dim $dim",
        "dim=64\ncase $big in\n yes) dim=512;;\nesac\nEXPORT --encoder-dim $dim",
        "dim=64\nread dim\nEXPORT --encoder-dim $dim",
        "dim=64\ndim+=0\nEXPORT --encoder-dim $dim",
        "for dim in 64 128; do\nEXPORT --encoder-dim $dim\ndone",
        "EXPORT --encoder-dim $((32 * 2))",
    ],
)
def test_what_is_not_plain_is_not_guessed(script):
    with pytest.raises(ConfigError, match=r"run.sh:\d+: the value of --encoder-dim is .*\$") as caught:
        command_of(script.replace("EXPORT", "lstm_transducer_stateless2/export-for-ncnn.py"))
    assert "pass --encoder-dim" in caught.value.hint


def test_a_comment_ends_a_continued_command_as_in_the_shell():
    flags = command_of(
        "lstm_transducer_stateless2/export-for-ncnn.py \\\n --encoder-dim 64 \\\n"
        " # --epoch 3 \\\n --rnn-hidden-size 96\n"
    )
    assert set(resolve(flags).assumed) == {"num_encoder_layers", "rnn_hidden_size"}


def test_unknown_variables_elsewhere_do_not_matter():
    flags = command_of(
        "lstm_transducer_stateless2/export-for-ncnn.py --exp-dir $1 --encoder-dim 64 --tokens $(ls)"
    )
    assert resolve(flags).metadata.encoder_dim == 64


def test_a_misspelt_flag_in_a_command():
    with pytest.raises(ConfigError, match=r"run\.sh:2: there is no flag --rnn-hidden") as caught:
        command_of("lstm_transducer_stateless2/export-for-ncnn.py \\\n  --rnn-hidden 5")
    assert caught.value.hint == "did you mean --rnn-hidden-size?"


def test_two_exports_that_differ():
    with pytest.raises(ConfigError, match="lines 1 and 2 have different flags"):
        command_of(
            "lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim 64\n"
            "lstm_transducer_stateless2/export-for-ncnn.py --encoder-dim 65\n"
        )


def test_the_kind_chooses_among_exports():
    script = "".join(
        f"{RECIPES[kind]}/export-for-ncnn.py {flag} 64\n"
        for kind, flag in (
            ("lstm", "--encoder-dim"),
            ("zipformer", "--decode-chunk-len"),
            ("lstm", "--encoder-dim"),
        )
    )
    with pytest.raises(ConfigError, match="lines 1 and 2"):
        command_of(script)
    assert read_command(script, "x", kind=LSTM).given["encoder_dim"].value == "64"
    assert read_command(script, "x", kind=ZIPFORMER).given["decode_chunk_len"].value == "64"
    with pytest.raises(ConfigError, match="lines 1 and 2"):
        read_command(script, "x", kind=CONV_EMFORMER)


def test_other_scripts_are_none():
    assert command_of("#!/bin/sh\npython export.py --encoder-dim 3\n./export-onnx.py --x 1") is None
    assert command_of("") is None


def log_line(text):
    return (
        "2023-02-17 11:22:42,862 INFO [export-for-ncnn.py:222] device: cpu\n"
        f"2023-02-17 11:22:42,865 INFO [export-for-ncnn.py:231] {text}\n"
        "2023-02-17 11:22:42,865 INFO [export-for-ncnn.py:235] About to create model\n"
    )


PRINTED = (
    "{'best_train_loss': inf, 'device': device(type='cpu', index=0), 'exp_dir': PosixPath('it\\'s/{exp}'), "
    "'env_info': {'k2-with-cuda': True, 'rnn_hidden_size': 5}, 'f': <function f at 0x7f>, 'avg': 1, "
    "'note': \"it's\", 'num_encoder_layers': 12, 'encoder_dim': 512, 'rnn_hidden_size': 1024, 'blank_id': 0}"
)


def test_reads_the_log_of_a_python_dict(tmp_path):
    path = tmp_path / "log-export-ncnn-2023-02-17-11-22-42"
    path.write_text(log_line(PRINTED))
    flags = read_config(path)
    assert resolve(flags).metadata == DOCS_LSTM
    assert not flags.recipe_defaults
    assert flags.given["encoder_dim"].place == f"{path}:2"


def test_reads_the_log_of_a_json_object():
    params = {
        "best_train_loss": float("inf"),
        "exp_dir": "exp",
        "use_averaged_model": True,
        "env_info": {"a": None},
    }
    params |= {
        name: value if isinstance(value, int) else ",".join(map(str, value))
        for name, value in DOCS_ZIPFORMER.values().items()
    }
    flags = read_log(log_line(json.dumps(params, indent=2, sort_keys=True)), "log")
    assert resolve(flags).metadata == DOCS_ZIPFORMER
    assert resolve(flags).metadata.kind is ZIPFORMER


def test_heals_lines_that_a_terminal_broke():
    text = log_line(PRINTED)
    broken = "\n".join(text[start : start + 79] for start in range(0, len(text), 79))
    assert resolve(read_log(broken, "log")).metadata == DOCS_LSTM


def test_a_log_lacks_what_it_does_not_print():
    flags = read_log(log_line("{'encoder_dim': 512, 'rnn_hidden_size': 1024}"), "log")
    with pytest.raises(ConfigError, match="log lacks --num-encoder-layers"):
        resolve(flags)


def test_a_log_that_is_cut_off():
    with pytest.raises(ConfigError, match="log:2: the printed parameters cannot be read"):
        read_log(log_line(PRINTED)[:400], "log")


def test_a_log_of_two_exports():
    same = log_line(PRINTED) * 2
    assert resolve(read_log(same, "log")).metadata == DOCS_LSTM
    with pytest.raises(ConfigError, match="lines 2 and 5"):
        read_log(log_line(PRINTED) + log_line(PRINTED.replace("512", "256")), "log")


def test_nothing_in_a_log_is_run(tmp_path):
    mark = tmp_path / "mark"
    text = log_line(f"{{'encoder_dim': open({str(mark)!r}, 'w'), 'rnn_hidden_size': 3}}")
    assert set(read_log(text, "log").given) == {"rnn_hidden_size"}
    assert not mark.exists()


def test_a_log_with_other_lines_is_none():
    assert read_log("2023 INFO [train.py:3] {'encoder_dim': 3}\n", "log") is None


@given(st.text(alphabet=st.sampled_from(" \n\\'\"$`;&|(){}#=-xdo") | st.characters(), max_size=60))
def test_any_text_is_read_or_refused(text):
    for read in (read_command, read_log):
        for whole in (
            text,
            f"{text} lstm_transducer/export-for-ncnn.py --encoder-dim {text}",
            log_line("{" + text),
        ):
            try:
                flags = read(whole, "x")
            except NcnnParamError:
                continue
            assert flags is None or isinstance(flags, Flags)
