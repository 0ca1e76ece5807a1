"""Where the towers are fitted, and with how many digits."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from headrace.errors import FailedPrecondition
from headrace.models.item_cnn import ItemInputs

DeviceChoice = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16"]


_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Compute:
    """A device, and the precision of its matrix products.

    With bfloat16, weights, losses, the loop over time and the optimiser stay in float32.
    """

    device: torch.device = _CPU
    bfloat16: bool = False

    @classmethod
    def chosen(cls, device: DeviceChoice, precision: Precision) -> Compute:
        """`auto` is the GPU where there is one, and bfloat16 where that GPU has it.

        Each process that `torchrun` starts on a machine has a GPU of its own.

        Raises:
            FailedPrecondition: the GPU that is asked for is not there.
        """
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if device == "cpu" or (device == "auto" and not count):
            return cls(bfloat16=precision == "bfloat16")
        number = int(os.environ.get("LOCAL_RANK", "0"))
        if number >= count:
            raise FailedPrecondition(
                f"device cuda: process {number} of this machine needs a GPU and torch sees "
                f"{count}; start fewer processes or take --device cpu"
            )
        able = torch.cuda.is_bf16_supported(including_emulation=False)
        return cls(
            torch.device("cuda", number),
            precision == "bfloat16" or (precision == "auto" and able),
        )

    def __str__(self) -> str:
        return f"{self.device} in {'bfloat16' if self.bfloat16 else 'float32'}"

    def autocast(self) -> torch.autocast:
        """The context in which layers run."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def inputs(self, inputs: ItemInputs) -> ItemInputs:
        """Items' content on the device."""
        given = {field.name: getattr(inputs, field.name) for field in dataclasses.fields(inputs)}
        moved = {name: part.to(self.device) for name, part in given.items() if part is not None}
        return dataclasses.replace(inputs, **moved)

    def random_state(self) -> dict[str, Tensor]:
        """Of all generators that training draws from: samples on the CPU, dropout on the device."""
        state = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self.device)
        return state

    def restore_random_state(self, state: dict[str, Tensor]) -> None:
        torch.set_rng_state(state["cpu"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self.device)

    def peak_bytes(self) -> int:
        """The most that this process has had on the GPU; 0 without one."""
        return torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else 0


def idle_threads() -> int:
    """Two threads on one free core wait for each other: an epoch of 5 s then takes a minute."""
    return max(1, torch.get_num_threads() - round(os.getloadavg()[0]))
