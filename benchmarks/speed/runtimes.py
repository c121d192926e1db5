"""The network in other runtimes and in int8, beside the product's own.

Usage: ``python benchmarks/speed/runtimes.py --root RUN --cache FOLDER [--rounds N]``. RUN and
FOLDER are those of ``networks.py``, whose networks and simulated test it takes. Needs ``pip install
onnx onnxscript onnxruntime openvino``, which the project does not depend on. One thread, batches of
64, processor time, interleaved rounds; AUC and the largest difference of p_b on the simulated test.
"""

import argparse
import os

os.environ |= {"OMP_NUM_THREADS": "1"}

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
import torch
from networks import BATCH, TIMED, WAYS, Network, logits, speeds, trained
from networks_task import Task
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from plain_network import PlainNet

from pipeline.core.root import Root
from pipeline.network.metrics import weighted_auc
from pipeline.network.model import PairNet, folded

CALIBRATION = 512


class Calibration(CalibrationDataReader):
    """Spectra by which the ranges of the activations are found."""

    def __init__(self, flux_BL: np.ndarray) -> None:
        self._batches: Iterator[np.ndarray] = iter(np.split(flux_BL, len(flux_BL) // BATCH))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return a batch, None at the end."""
        batch_BL = next(self._batches, None)
        return None if batch_BL is None else {"flux": batch_BL}


def exported(model: PairNet, path: Path) -> Path:
    """Write the layers of a network as ONNX, as a user would write them."""
    torch.onnx.export(
        PlainNet(model).eval(), (torch.ones(BATCH, model.n_pixel),), path, dynamo=False,
        input_names=["flux"], output_names=["logit"],
        dynamic_axes={"flux": {0: "n"}, "logit": {0: "n"}},
    )  # fmt: skip
    return path


def by_onnxruntime(path: Path) -> Network:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda flux_BL: torch.from_numpy(
        session.run(None, {"flux": flux_BL.numpy()})[0].reshape(-1)
    )


def quantised(path: Path, flux_BL: np.ndarray) -> Path:
    """Write the same in int8, with the ranges that some spectra give."""
    ready, out = path.with_suffix(".ready.onnx"), path.with_suffix(".int8.onnx")
    quant_pre_process(path, ready)
    quantize_static(
        ready, out, Calibration(flux_BL), quant_format=QuantFormat.QDQ, per_channel=True
    )
    return out


def by_openvino(path: Path) -> Network:
    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(path, "CPU", options).create_infer_request()
    return lambda flux_BL: torch.from_numpy(
        request.infer({"flux": flux_BL.numpy()}).to_tuple()[0].reshape(-1).copy()
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", default=["small", "light", "fast"], choices=WAYS)
    parser.add_argument("--simulated", type=int, default=6400)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    task = Task(Root(args.root))
    test = task.tests(args.cache, args.simulated)["simulated"]
    flux_BL, is_pair_B = test.flux_BL.astype(np.float32), test.label_B == 1
    known_BL = task.parts.training.flux_BL[:CALIBRATION].astype(np.float32)
    print("| network | runtime | spectra/s/core | times PyTorch | AUC | largest change of p_b |")
    print("|---|---|---|---|---|---|")
    for name in args.networks:
        model = trained(task, name, args.cache).model
        path = exported(model, args.cache / f"{name}.onnx")
        ways = {
            "PyTorch, as `infer`": folded(model),
            "ONNX Runtime": by_onnxruntime(path),
            "OpenVINO": by_openvino(path),
            "ONNX Runtime, int8": by_onnxruntime(quantised(path, known_BL)),
        }
        rate = speeds(ways, flux_BL[:TIMED], args.rounds)
        found = {way: logits(run, flux_BL).astype(float) for way, run in ways.items()}
        p_b = {way: 1 / (1 + np.exp(-logit_B)) for way, logit_B in found.items()}
        first = next(iter(ways))
        for way in ways:
            reached = weighted_auc(found[way], is_pair_B, np.ones(len(is_pair_B)))
            middle = np.median(rate[way])
            print(
                f"| {name} | {way} | {middle:,.0f} ({rate[way].min():,.0f}-{rate[way].max():,.0f}) "
                f"| {middle / np.median(rate[first]):.2f} | {reached:.3f} | "
                f"{np.abs(p_b[way] - p_b[first]).max():.2g} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
