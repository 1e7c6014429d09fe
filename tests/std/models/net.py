"""Modules of PyTorch as a user has them in a file."""

import torch


class Net(torch.nn.Module):
    """Two layers with all that a training can get wrong: statistics of batches, and dropout."""

    def __init__(self, width=3, hidden=8, units=1):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(width, hidden),
            torch.nn.BatchNorm1d(hidden),
            torch.nn.ReLU(inplace=True),
            torch.nn.Dropout(0.2),
            torch.nn.Linear(hidden, units),
        )

    def forward(self, rows):
        return self.layers(rows)


class Tied(torch.nn.Module):
    """Two layers with the same weights, which writes to its inputs."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(3, 3)
        self.second = torch.nn.Linear(3, 3)
        self.second.weight = self.first.weight

    def forward(self, rows):
        return self.second(self.first(rows.relu_()))


class Lstm(torch.nn.Module):
    """A module that returns more than outputs."""

    def __init__(self):
        super().__init__()
        self.cells = torch.nn.LSTM(3, 1)

    def forward(self, rows):
        return self.cells(rows)


def number(value=1):
    return value


def broken():
    raise RuntimeError("no such layer")
