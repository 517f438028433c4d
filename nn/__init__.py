"""Neural networks built out of Values: every weight, bias and gradient stays a number you can look at."""

from nn.activations import ACTIVATIONS, activation_function, linear
from nn.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from nn.data import Dataset, Split, digits
from nn.initializers import INITIALIZERS, he, uniform, xavier, zeros
from nn.layers import MLP, Layer, Neuron
from nn.losses import LOSSES, binary_cross_entropy, cross_entropy, hinge, mean_squared_error, sum_squared_error
from nn.metrics import accuracy, confusion_matrix, predicted_class
from nn.module import Module
from nn.optimizers import SGD

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LOSSES",
    "MLP",
    "SGD",
    "Checkpoint",
    "Dataset",
    "Layer",
    "Module",
    "Neuron",
    "Split",
    "accuracy",
    "activation_function",
    "confusion_matrix",
    "binary_cross_entropy",
    "cross_entropy",
    "digits",
    "he",
    "hinge",
    "linear",
    "mean_squared_error",
    "predicted_class",
    "read_checkpoint",
    "sum_squared_error",
    "uniform",
    "write_checkpoint",
    "xavier",
    "zeros",
]
