// Keeps an open page true: when headquarters says that something changed, the page is fetched again and only the
// parts marked data-live that differ are put in place, so that scrolling, focus and half-filled forms stay.

const badge = document.getElementById("live");
const SETTLE_MS = 150; // several changes in a moment are one fetch
let timer = null;
let fetching = false;
let again = false;

function show(on) {
  badge.textContent = on ? badge.dataset.on : badge.dataset.off;
  badge.classList.toggle("on", on);
}

function replaceChanged(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.outerHTML === part.outerHTML) continue;
    const held = part.contains(document.activeElement) ? document.activeElement : null;
    const [left, top] = [part.scrollLeft, part.scrollTop];
    const imported = document.importNode(next, true);
    part.replaceWith(imported);
    imported.scrollTo(left, top);
    const href = held?.getAttribute("href");
    if (href) imported.querySelector(`a[href="${CSS.escape(href)}"]`)?.focus({ preventScroll: true });
  }
}

async function refresh() {
  timer = null;
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
    if (answer.ok) replaceChanged(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    show(false); // the connection is gone; the event stream says when it is back
  } finally {
    fetching = false;
    if (again) {
      again = false;
      soon();
    }
  }
}

function soon() {
  if (timer === null && !document.hidden) timer = setTimeout(refresh, SETTLE_MS);
}

const stream = new EventSource("/api/v1/live");
stream.onopen = () => {
  show(true);
  soon(); // what happened while there was no connection
};
stream.onerror = () => show(false);
stream.addEventListener("changed", soon);
stream.addEventListener("tick", soon);
document.addEventListener("visibilitychange", soon);
