// The zone's time. Pages never ask their own clock what time it is: the server says it, each second, with its speed.

let anchorUs = Number(document.body.dataset.nowUs);
let speed = Number(document.body.dataset.speed);
let anchorMs = performance.now();

export function setNow(nowUs, newSpeed) {
  anchorUs = nowUs;
  speed = newSpeed;
  anchorMs = performance.now();
}

export function nowUs() {
  return anchorUs + (performance.now() - anchorMs) * 1000 * speed;
}

const offsetUs = Number(document.body.dataset.offsetS) * 1e6;
const two = (number) => String(Math.floor(number)).padStart(2, "0");

// 4:07, 1:04:07, 2 d 03:10:00
export function duration(us) {
  const seconds = Math.max(0, Math.floor(us / 1e6));
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const head = days ? `${days} ${document.body.dataset.days} ${two(hours)}:` : hours ? `${hours}:` : "";
  return `${head}${head ? two(minutes) : minutes}:${two(seconds % 60)}`;
}

// A local date and time as typed, as ISO 8601 with the zone's offset.
export function withOffset(typed) {
  const offsetMinutes = offsetUs / 6e7;
  const sign = offsetMinutes < 0 ? "-" : "+";
  const size = Math.abs(offsetMinutes);
  const whole = typed.length === 16 ? `${typed}:00` : typed;
  return `${whole}${sign}${two(size / 60)}:${two(size % 60)}`;
}

export function show(root = document) {
  const now = nowUs();
  for (const element of root.querySelectorAll("[data-since]")) {
    write(element, duration(now - Number(element.dataset.since)));
  }
  for (const element of root.querySelectorAll("[data-until]")) {
    const left = Number(element.dataset.until) - now;
    write(element, left < 0 ? `-${duration(-left)}` : duration(left));
  }
  for (const element of root.querySelectorAll("progress[data-from]")) {
    const from = Number(element.dataset.from);
    element.value = Math.min(1, Math.max(0, (now - from) / (Number(element.dataset.to) - from)));
  }
  for (const element of root.querySelectorAll("[data-clock]")) {
    const ofDay = Math.floor((now + offsetUs) / 1e6) % 86400;
    write(element, `${two(ofDay / 3600)}:${two((ofDay % 3600) / 60)}:${two(ofDay % 60)}`);
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
