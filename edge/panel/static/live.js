// Keeps the page right while the ledger grows: replaces its live parts, and says so when it is cut off.

import { setNow, show } from "./clock.js";

const SILENCE_MS = 4000;

export function follow() {
  const stream = new EventSource(document.body.dataset.stream);
  const offline = document.querySelector("[data-offline]");
  let heardMs = performance.now();

  stream.addEventListener("tick", (event) => {
    const { now_us: nowUs, speed } = JSON.parse(event.data);
    heardMs = performance.now();
    offline.hidden = true;
    setNow(nowUs, speed);
    document.body.dataset.live = "yes";
  });

  stream.addEventListener("fragment", (event) => {
    const { name, html } = JSON.parse(event.data);
    for (const place of document.querySelectorAll(`[data-live="${name}"]`)) {
      replace(place, html);
    }
    sayIfStale();
  });

  setInterval(() => {
    if (performance.now() - heardMs > SILENCE_MS) offline.hidden = false;
    show();
  }, 200);
  show();
}

function replace(place, html) {
  const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  place.innerHTML = html;
  show(place);
  if (focused) place.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

// Somebody else wrote of this person while this form was open.
function sayIfStale() {
  const stale = document.querySelector("[data-stale]");
  const version = document.querySelector("[data-version]")?.dataset.version;
  if (stale && version && version !== stale.dataset.stale) stale.hidden = false;
}
