"""What each key of a configuration means, for the JSON schema that editors show."""

from __future__ import annotations

from collections.abc import Mapping

# By the class of the section, then by key.
DESCRIPTIONS: Mapping[str, Mapping[str, str]] = {
    "Skeleton": {
        "lossfw": "The version of the configuration's keys: 1.",
        "extends": "Another configuration, relative to this file, over which this one is laid. "
        "Mappings merge, lists replace, null takes a key away.",
        "seed": "Where everything random begins.",
        "plugins": "Files with components of your own, relative to this file.",
        "data": "The rows: a source.",
        "network": "Layers with weights, or saved predictions or logits.",
        "loss": "What a prediction costs.",
        "evaluate": "How the evaluation runs, and what it reports besides the loss.",
        "train": "How `lossfw train` trains the network.",
        "sensitivity": "What `lossfw sensitivity` looks at.",
        "sweep": "Several runs from one file: grid, zip, seeds.",
    },
    "NetworkSection": {
        "layers": "The dense layers, from the input on.",
        "weights": "A .npz with W1, b1, W2 ..., relative to this file.",
        "dtype": "float32 or float64; that of the weights unless given.",
        "predictions": "Saved predictions: a file, or rows of numbers.",
        "logits": "Saved logits: a file, or rows of numbers.",
    },
    "Layer": {
        "units": "How many numbers come out.",
        "activation": "What they go through.",
    },
    "EvaluateSection": {
        "batch_size": "Rows that are read at a time. It changes no digit of any number.",
        "metrics": "What is reported besides the loss: metrics, and losses too.",
        "sample": "Evaluate rows that are drawn at random, not all.",
        "rows": "Write loss, prediction and target of each row beside the result: true (or jsonl), "
        "or parquet.",
        "intervals": "Give every number a confidence interval.",
        "slices": "Report every number again for parts of the rows.",
    },
    "Sample": {
        "count": "How many rows.",
        "seed": "Where the drawing begins; the configuration's seed unless given.",
        "replace": "Whether a row may be drawn twice.",
    },
    "IntervalsSection": {
        "level": "How often the interval is to hold the true number.",
        "method": "jackknife or bootstrap.",
        "replicates": "How often the bootstrap draws.",
        "seed": "Where the bootstrap's draws begin; the configuration's seed unless given.",
    },
    "SliceSection": {
        "name": "What the slice is called in the result.",
        "by": "What tells the rows apart.",
        "bins": "The edges between the parts, increasing: [0.5, 0.9] makes three.",
    },
    "TrainSection": {
        "epochs": "How often every row is seen.",
        "optimizer": "What takes the steps.",
        "batch_size": "Rows in one step.",
        "schedule": "A factor on the learning rate that changes as the training goes.",
        "initial": "How the weights begin.",
        "hold_out": "Rows that are reported and not learnt from.",
        "force": "Train also what cannot learn.",
    },
    "HoldOut": {
        "share": "A share of the data, drawn by the seed.",
        "data": "Data of their own.",
        "patience": "Stop after so many epochs without a better loss of these rows.",
    },
    "SensitivitySection": {
        "parameter": "The parameter that moves: layers.0.weights[0,0].",
        "range": "How far it goes, to both sides of its value.",
        "points": "How many values it takes.",
        "directions": "How many random directions the weights move in.",
        "instead": "Activations to put in the place of the hidden ones.",
        "sample": "How many parameters of each layer move one by one.",
    },
    "SweepSection": {
        "grid": "By dotted name, the values of each key: every combination is a run.",
        "zip": "By dotted name, the values of each key: the first of each is a run, and so on.",
        "seeds": "A number of seeds, or a list of them.",
    },
}
