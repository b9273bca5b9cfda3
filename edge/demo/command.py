"""``fourmusts demo``: plays a short day at speed, tells what was flagged and why, then stays up."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from config.clock import Clock, Timelapse, TimelapseClock
from config.running import stop_on_signal
from config.wording import Language, sentence, title

from .hands import get_json
from .stage import PANEL_PORTS, WEB_PORT, Ports, Stage, set_up
from .story import LENGTH_MINUTES, Scene, scenes

SPEED = 60.0
SLACK_MINUTES = 35.0
"""Clock time for setting up and for a slow machine; what is left of it passes at speed after the story."""
SETTLED_S = 3.0
LOOK_S = 0.05
PLAIN_WIDTH = 118
UTC_OFFSET_S = 8 * 3600


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("demo-data"), show_default=True)
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--once", is_flag=True, help="End after the table instead of staying up.")
@click.option(
    "--panel-port", default=PANEL_PORTS["nz01"], show_default=True, help="The station takes the next one."
)
@click.option("--web-port", default=WEB_PORT, show_default=True)
def demo(folder: Path, language: str, once: bool, panel_port: int, web_port: int) -> None:
    """Play a short day in a custody zone, then stay up."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    stop = stop_on_signal()
    ports = Ports({"nz01": panel_port, "nz02": panel_port + 1}, web_port)
    lapse = Timelapse.ending_now(lasting_s=(LENGTH_MINUTES + SLACK_MINUTES) * 60, speed=SPEED)
    clock = TimelapseClock(lapse, fixed_utc_offset_s=UTC_OFFSET_S)
    with set_up(folder.resolve(), ports, lapse, lambda text: console.print(f"… {text}"), stop) as stage:
        _print_addresses(console, stage)
        _play(console, stage, clock, stop)
        _settle(console, stage, clock, stop)
        _print_findings(console, stage, language)
        if not once and not stop.is_set():
            _stay_up(console, stage, folder, stop)


def _print_addresses(console: Console, stage: Stage) -> None:
    console.print()
    console.print(f"  door terminal of the centre     {stage.panel_urls['nz01']}/")
    console.print(f"  monitoring panel of the centre  {stage.panel_urls['nz01']}/monitor")
    console.print(f"  panel of the station            {stage.panel_urls['nz02']}/monitor")
    console.print(f"  headquarters                    {stage.central_url}/")
    console.print()


def _play(console: Console, stage: Stage, clock: Clock, stop: threading.Event) -> None:
    begun_us = clock.now_us()
    console.print(f"A short day, {SPEED:.0f} times as fast as life (about {LENGTH_MINUTES / SPEED:.1f} min):")
    for scene in scenes():
        while clock.now_us() < begun_us + scene.minute * 60e6 and not stop.is_set():
            time.sleep(LOOK_S)
        if stop.is_set():
            return
        if scene.told:
            console.print(f"  [dim]{_local_time(clock)}[/dim] {scene.zone}  {scene.told}")
        _perform(scene, stage)


def _perform(scene: Scene, stage: Stage) -> None:
    scene.play(stage.hands[scene.zone])


def _local_time(clock: Clock) -> str:
    seconds = clock.now_us() // 1_000_000 + UTC_OFFSET_S
    return time.strftime("%H:%M", time.gmtime(seconds))


def _settle(console: Console, stage: Stage, clock: TimelapseClock, stop: threading.Event) -> None:
    """Until the clock runs as usual, and headquarters has judged all that the zones wrote while it ran fast."""
    console.print("The day is told; the clock catches up with the present …")
    while clock.running_fast and not stop.wait(LOOK_S):
        pass
    steady_since_s, last = time.monotonic(), None
    while time.monotonic() - steady_since_s < SETTLED_S and not stop.wait(LOOK_S):
        current = _findings(stage)
        if current != last:
            steady_since_s, last = time.monotonic(), current


def _findings(stage: Stage) -> list[dict[str, Any]]:
    answer: Any = get_json(f"{stage.central_url}/api/v1/findings?limit=500")
    items: list[dict[str, Any]] = answer["items"] if isinstance(answer, dict) else answer
    return items


def _print_findings(console: Console, stage: Stage, language: str) -> None:
    spoken: Language = "zh" if language == "zh" else "en"
    table = Table(title="What headquarters flagged, and why", show_lines=True)
    for column in ("stay", "must", "rule", "verdict", "why"):
        table.add_column(column)
    people = {stay: letter for hands in stage.hands.values() for letter, stay in hands.stays.items()}
    for finding in sorted(_findings(stage), key=lambda f: (f["start"], f["rule"])):
        stay = finding["stay"] or f"({finding['zone']})"
        table.add_row(
            f"{stay}\n{people.get(stay, '')}",
            str(finding["must"]),
            f"{finding['rule']}\n{title(finding['rule'], spoken)}",
            f"{finding['verdict']}\n{finding['severity']}",
            sentence(finding, spoken),
        )
    console.print(table)


def _stay_up(console: Console, stage: Stage, folder: Path, stop: threading.Event) -> None:
    config = folder / "nz01" / "zone.toml"
    console.print("Everything stays up. Go on by hand in another terminal, or at the pages:")
    _print_addresses(console, stage)
    for words in ("tap front-door p0231", "open front-door", "close front-door", "camera cam-waiting-2 cover"):
        console.print(f"  .venv/bin/fourmusts sim --config {config} {words}")
    console.print("\nCtrl-C ends it.")
    stop.wait()
