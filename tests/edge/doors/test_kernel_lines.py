"""Whether the kernel keeps relays energised after a kill: told at every start, with the mend."""

import threading

import pytest
from gpiozero.pins.mock import MockFactory

from config.clock import SystemClock
from config.zone import ZoneSettings
from edge.doors.hardware import build
from edge.doors.kernel_lines import kept_by
from edge.doors.process import run
from sync.ledger import Ledger

LOCK = {
    "driver": "gpio",
    "pin": 17,
    "hardware": "power_to_unlock",
    "on_controller_loss": "locked",
    "on_power_loss": "locked",
}


def modules(tmp_path, **values):
    for module, value in values.items():
        file = tmp_path / module / "parameters" / "persist_gpio_outputs"
        file.parent.mkdir(parents=True)
        file.write_text(f"{value}\n")
    return tmp_path


@pytest.mark.parametrize("module", ["pinctrl_bcm2835", "pinctrl_rp1"])
def test_a_kernel_that_keeps_outputs_is_named_with_its_parameter_and_the_mend(tmp_path, module):
    kept = kept_by(modules(tmp_path, **{module: "Y"}))
    assert f"{module}/parameters/persist_gpio_outputs is Y" in kept and "dtparam=strict_gpiod" in kept


@pytest.mark.parametrize("values", [{}, {"pinctrl_bcm2835": "N"}, {"pinctrl_rp1": "0"}])
def test_a_kernel_that_does_not_is_no_matter(tmp_path, values):
    assert kept_by(modules(tmp_path, **values)) is None


@pytest.mark.parametrize(("value", "alarmed"), [("Y", True), ("N", False)])
def test_the_doors_say_so_at_their_start(tmp_path, caplog, value, alarmed):
    settings = ZoneSettings.model_validate(
        {
            "zone": {"id": "nz01", "name": "North", "state_dir": str(tmp_path / "state")},
            "room": [{"id": "street", "name": "Street"}, {"id": "corridor", "name": "Corridor"}],
            "door": [{"id": "d", "name": "D", "from": "street", "to": "corridor", "lock": LOCK}],
        }
    )
    clock, stop = SystemClock(), threading.Event()
    Ledger.create(settings.ledger_dir, zone="nz01", deployment="fourmusts", clock=clock).close()
    stop.set()
    hardware = build(settings, pin_factory=MockFactory())
    run(settings, clock, stop, hardware=hardware, modules=modules(tmp_path / "sys", pinctrl_bcm2835=value))
    told = [record for record in caplog.records if "persist_gpio_outputs" in record.getMessage()]
    assert [record.levelname for record in told] == ["CRITICAL"] * alarmed
