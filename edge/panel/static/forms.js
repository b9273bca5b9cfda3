// From a form to the API's JSON: names with dots nest, data-kind says what a value is, empty fields are left out.

import { withOffset } from "./clock.js";

export function gather(form) {
  const body = {};
  for (const list of form.querySelectorAll("[data-list]")) put(body, list.dataset.list, []);
  for (const field of form.elements) {
    if (!field.name || field.disabled || field.closest("[data-row]")) continue;
    const value = read(field);
    if (value === undefined) continue;
    if (field.dataset.kind === "list") at(body, field.name).push(value);
    else put(body, field.name, value);
  }
  for (const rows of form.querySelectorAll("[data-rows]")) put(body, rows.dataset.rows, readRows(rows));
  for (const part of form.querySelectorAll("[data-optional]")) {
    if (isEmpty(body[part.dataset.optional])) delete body[part.dataset.optional];
  }
  return body;
}

function read(field) {
  const kind = field.dataset.kind;
  if (kind === "bool") return field.checked;
  if ((field.type === "checkbox" || field.type === "radio") && !field.checked) return undefined;
  const text = field.value.trim();
  if (text === "") return undefined;
  if (kind === "number") return Number(text);
  if (kind === "time") return withOffset(text);
  return text;
}

function readRows(rows) {
  const items = [];
  for (const row of rows.querySelectorAll("[data-row]")) {
    const item = {};
    for (const field of row.querySelectorAll("[data-field]")) {
      const value = read(field);
      if (value !== undefined) item[field.dataset.field] = value;
    }
    if (item.name) items.push(item);
  }
  return items;
}

function isEmpty(part) {
  if (!part) return true;
  if (Array.isArray(part.items)) return part.items.length === 0;
  return Object.values(part).every((value) => value === "" || value === false);
}

function put(body, name, value) {
  const path = name.split(".");
  const last = path.pop();
  let place = body;
  for (const step of path) place = place[step] ??= {};
  place[last] = value;
}

function at(body, name) {
  return name.split(".").reduce((place, step) => place?.[step], body);
}

export function addRow(rows) {
  const row = rows.querySelector("[data-row]").cloneNode(true);
  for (const field of row.querySelectorAll("[data-field]")) field.value = field.dataset.field === "quantity" ? "1" : "";
  rows.append(row);
  row.querySelector("input").focus();
}

// Marks the fields that the server found wrong, each with what is wrong; returns whether any could be marked.
export function markWrong(form, fields) {
  clearWrong(form);
  let marked = false;
  for (const { field, message } of fields) {
    const name = field.split(".").filter((part) => Number.isNaN(Number(part))).join(".");
    const input = form.querySelector(`[name="${CSS.escape(name)}"], [name^="${CSS.escape(name)}."]`);
    if (!input) continue;
    const box = input.closest(".field, .tick") ?? input;
    input.setAttribute("aria-invalid", "true");
    const note = document.createElement("p");
    note.className = "fielderror";
    note.textContent = message;
    box.append(note);
    if (!marked) input.scrollIntoView({ block: "center" });
    marked = true;
  }
  return marked;
}

export function clearWrong(form) {
  for (const note of form.querySelectorAll(".fielderror")) note.remove();
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}
