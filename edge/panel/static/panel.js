// Wires the page: live parts, forms that post JSON to the API, the dialogs. Works on whatever of these a page has.

import { withOffset } from "./clock.js";
import { asOfficer, chooseOfficer, open, overrideNow, tell } from "./dialogs.js";
import { addRow, clearWrong, gather, markWrong } from "./forms.js";
import { follow } from "./live.js";

const language = document.documentElement.lang;

// Posts an act. Returns its answer; or null, after telling what went wrong.
async function post(address, body, { form, again } = {}) {
  let response;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": language },
      body: JSON.stringify(body),
    });
  } catch {
    tell({ title: document.body.dataset.failed, detail: document.body.dataset.failedMend });
    return null;
  }
  const answer = await response.json();
  if (response.ok) return answer;
  const marked = form && answer.fields ? markWrong(form, answer.fields) : false;
  if (!marked) tell(answer, again);
  return null;
}

function send(form, override) {
  asOfficer(async (officer) => {
    const button = form.querySelector(".button.is-primary");
    clearWrong(form);
    button.disabled = true;
    const body = { ...gather(form), by: officer, ...(override ? { override } : {}) };
    const answer = await post(form.dataset.act, body, { form, again: (reason) => send(form, reason) });
    button.disabled = false;
    if (answer) location.assign(form.dataset.then.replace("{stay}", answer.stay ?? ""));
  });
}

function sendButton(button) {
  asOfficer(async (officer) => {
    button.disabled = true;
    const body = { ...JSON.parse(button.dataset.body), by: officer };
    if (button.dataset.by) body[button.dataset.by] = officer;
    const answer = await post(button.dataset.post, body);
    button.disabled = false;
    if (answer) button.classList.add("is-done");
  });
}

function correct(kind) {
  const dialog = document.getElementById("correct-dialog");
  const reason = document.getElementById("correct-reason");
  const time = document.getElementById("correct-time");
  asOfficer(async (officer) => {
    const body = { by: officer, event: dialog.dataset.event, reason: reason.value.trim() };
    if (kind === "correct" && time.value) body.corrected_time = withOffset(time.value);
    const answer = await post(`/api/v1/acts/${kind}`, body);
    if (answer) dialog.close();
  });
}

function showIdentity() {
  const list = document.querySelector("[data-identity]");
  const labels = JSON.parse(list.dataset.labels);
  const stay = new URLSearchParams(document.body.dataset.stream.split("?")[1]).get("stay");
  const purpose = document.getElementById("identity-purpose").value.trim();
  asOfficer(async (officer) => {
    const answer = await post("/api/v1/acts/view-identity", { by: officer, stay, purpose });
    if (!answer) return;
    const rows = answer.identity
      ? Object.entries(answer.identity).filter(([, value]) => value)
      : [["", list.dataset.destroyed]];
    list.replaceChildren(
      ...rows.flatMap(([name, value]) => {
        const term = document.createElement("dt");
        const text = document.createElement("dd");
        term.textContent = labels[name] ?? name;
        text.textContent = value;
        return [term, text];
      }),
    );
    list.hidden = false;
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-act]");
  if (!form) return;
  event.preventDefault();
  send(form);
});

const CLICKS = {
  "[data-open]": (target) => open(target.dataset.open),
  "[data-choose-officer]": (target) => chooseOfficer(target.dataset.chooseOfficer),
  "[data-override-go]": () => overrideNow(),
  "[data-post]": (target) => sendButton(target),
  "[data-add-row]": (target) => addRow(target.parentElement.querySelector(`[data-rows="${target.dataset.addRow}"]`)),
  "[data-identity-go]": () => showIdentity(),
  "[data-correct]": (target) => correct(target.dataset.correct),
  "[data-correct-event]": (target) => {
    const dialog = document.getElementById("correct-dialog");
    dialog.dataset.event = target.dataset.correctEvent;
    dialog.querySelector("[data-correct-text]").textContent = target.dataset.correctSaid;
    document.getElementById("correct-reason").value = "";
    document.getElementById("correct-time").value = "";
    dialog.showModal();
  },
};

document.addEventListener("click", (event) => {
  for (const [selector, act] of Object.entries(CLICKS)) {
    const target = event.target.closest(selector);
    if (target) act(target);
  }
});

// A choice that opens its own details: injuries described, belongings listed.
document.addEventListener("change", (event) => {
  for (const details of document.querySelectorAll("[data-shows]")) {
    const [name, value] = details.dataset.shows.split("=");
    if (event.target.name === name) details.open = event.target.value === value;
  }
});

document.getElementById("identity-dialog").addEventListener("close", () => {
  document.querySelector("[data-identity]").replaceChildren();
});

follow();
document.body.inert = false;
