// Asking and telling: who acts, what stands in the way, why it must go on all the same.

const byId = (id) => document.getElementById(id);

export function open(id) {
  byId(id).showModal();
}

let resume = null;

// Runs the work once somebody has said who acts; at once when that is known.
export function asOfficer(work) {
  if (document.body.dataset.officer) {
    work(document.body.dataset.officer);
    return;
  }
  resume = work;
  open("officer-dialog");
}

export function chooseOfficer(officer) {
  document.cookie = `officer=${encodeURIComponent(officer)}; path=/; max-age=31536000; samesite=strict`;
  document.body.dataset.officer = officer;
  byId("officer-dialog").close();
  const button = document.querySelector(".bar-officer");
  button.classList.remove("is-missing");
  button.querySelector("span").textContent = document.querySelector(
    `[data-choose-officer="${CSS.escape(officer)}"] strong`,
  ).textContent;
  const work = resume;
  resume = null;
  if (work) work(officer);
}

let goOn = null;

// Shows a problem. When the musts forbid it and may be overridden, `override(reason)` is called with a reason.
export function tell(problem, override) {
  const dialog = byId("problem-dialog");
  const obstacles = problem.obstacles ?? [];
  const forbidden = obstacles.length > 0;
  dialog.querySelector('[data-problem-heading="forbidden"]').hidden = !forbidden;
  dialog.querySelector('[data-problem-heading="other"]').hidden = forbidden;
  dialog.querySelector("[data-problem-what]").textContent = forbidden ? "" : problem.title;
  dialog.querySelector("[data-problem-mend]").textContent = problem.detail ?? "";
  dialog.querySelector("[data-problem-obstacles]").replaceChildren(
    ...obstacles.map(({ rule, title, detail }) => {
      const item = document.createElement("li");
      const name = document.createElement("strong");
      name.textContent = `${title} (${rule})`;
      item.append(name, detail);
      return item;
    }),
    ...(problem.fields ?? []).map(({ field, message }) => {
      const item = document.createElement("li");
      item.textContent = `${field}: ${message}`;
      return item;
    }),
  );
  goOn = problem.override_possible ? override : null;
  dialog.querySelector("[data-override]").hidden = !goOn;
  byId("override-reason").value = "";
  if (!dialog.open) dialog.showModal();
}

export function overrideNow() {
  const reason = byId("override-reason");
  if (reason.value.trim().length < 2) {
    reason.setAttribute("aria-invalid", "true");
    reason.focus();
    return;
  }
  reason.removeAttribute("aria-invalid");
  byId("problem-dialog").close();
  const work = goOn;
  goOn = null;
  work?.(reason.value.trim());
}
