"""Neural networks built out of Values: every weight, bias and gradient stays a number you can look at."""

from nn.activations import ACTIVATIONS, activation_function, linear
from nn.batch_norm import BatchNorm
from nn.callbacks import Callback, EarlyStopping
from nn.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from nn.clipping import clip_gradient_norm, clip_gradient_value
from nn.data import Dataset, Split
from nn.dropout import Dropout
from nn.history import History
from nn.hyper_parameters import HyperParameters
from nn.initializers import INITIALIZERS, he, uniform, xavier, zeros
from nn.layers import MLP, Activity, Layer, Neuron
from nn.losses import LOSSES, binary_cross_entropy, cross_entropy, hinge, mean_squared_error, sum_squared_error
from nn.metrics import ClassScores, accuracy, class_table, confusion_matrix, confusion_table, per_class, predicted_class
from nn.module import Module
from nn.network import Activate, Network, Sequential
from nn.normalization import Normalization
from nn.one_cycle import OneCycle
from nn.optimizer import Optimizer
from nn.optimizers import OPTIMIZERS, SGD, Adagrad, Adam, AdamW, RMSProp, optimizer_class
from nn.penalties import l1_penalty, l2_penalty
from nn.plateau import ReduceOnPlateau
from nn.replay import Blame, Push, Replay
from nn.schedule import Schedule
from nn.schedules import (
    SCHEDULES,
    CosineSchedule,
    ExponentialSchedule,
    LinearWarmUp,
    StepSchedule,
    schedule_from,
)
from nn.synthetic import DATASETS, blobs, circles, digits, moons, spirals, xor
from nn.trainer import Trainer

__all__ = [
    "ACTIVATIONS",
    "DATASETS",
    "INITIALIZERS",
    "LOSSES",
    "MLP",
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "Activate",
    "Activity",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "Blame",
    "Callback",
    "Checkpoint",
    "ClassScores",
    "CosineSchedule",
    "Dataset",
    "Dropout",
    "EarlyStopping",
    "ExponentialSchedule",
    "History",
    "HyperParameters",
    "Layer",
    "LinearWarmUp",
    "Module",
    "Network",
    "Neuron",
    "Normalization",
    "OneCycle",
    "Optimizer",
    "Push",
    "RMSProp",
    "ReduceOnPlateau",
    "Replay",
    "Schedule",
    "Sequential",
    "Split",
    "StepSchedule",
    "Trainer",
    "accuracy",
    "activation_function",
    "binary_cross_entropy",
    "blobs",
    "circles",
    "class_table",
    "clip_gradient_norm",
    "clip_gradient_value",
    "confusion_matrix",
    "confusion_table",
    "cross_entropy",
    "digits",
    "he",
    "hinge",
    "l1_penalty",
    "l2_penalty",
    "linear",
    "mean_squared_error",
    "moons",
    "optimizer_class",
    "per_class",
    "predicted_class",
    "read_checkpoint",
    "schedule_from",
    "spirals",
    "sum_squared_error",
    "uniform",
    "write_checkpoint",
    "xavier",
    "xor",
    "zeros",
]
