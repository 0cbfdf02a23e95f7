// Shows one step after the other. What a step says was worked out when the file was made: here,
// texts are put into the picture and classes switched, nothing is computed or moved.

const at = (id) => document.getElementById(id);
const steps = (await unpacked(at("data").textContent)).map(
  ([phase, title, lines, vertices, edges, computed, grads]) =>
    ({ phase, title, lines, vertices, edges, computed, grads }));
const picture = at("picture");
const svg = picture.querySelector("svg");
const boxes = [...svg.querySelectorAll("g:not(.edge)")]
  .map((g) => ({ g, data: g.querySelector(".data"), grad: g.querySelector(".grad") }))
  .filter((box) => box.data)
  .map((box) => ({ ...box, value: box.data.textContent }));
const edges = [...svg.querySelectorAll("g.edge")];
const phases = { start: "Start", forward: "Forward", backward: "Backward", end: "End" };
const paper = { width: svg.width.baseVal.value, height: svg.height.baseVal.value };
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const PAUSE = 2000; // milliseconds between two steps at speed 1
let current = 0;
let timer = null;

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

// What is known after step k: every step up to k has had its say.
function stateAfter(k) {
  const done = steps.slice(0, k + 1);
  return {
    computed: new Set(done.flatMap((step) => step.computed)),
    grads: Object.assign({}, ...done.map((step) => step.grads)),
    passed: new Set(done.filter(isBackward).flatMap((step) => step.edges)),
  };
}

function isBackward(step) {
  return step.phase === "backward" || step.phase === "end";
}

function show(k) {
  current = Math.max(0, Math.min(steps.length - 1, k));
  const step = steps[current];
  draw(step, stateAfter(current));
  tell(step);
  follow(step);
  if (current === steps.length - 1) pause();
}

function draw(step, { computed, grads, passed }) {
  for (const box of boxes) {
    const known = computed.has(box.g.id);
    box.data.textContent = known ? box.value : "?";
    box.grad.textContent = grads[box.g.id] ?? "–";
    box.g.classList.toggle("unknown", !known);
  }
  svg.querySelectorAll(".now").forEach((g) => g.classList.remove("now"));
  step.vertices.forEach((id) => at(id).classList.add("now"));
  edges.forEach((g, i) => {
    g.classList.toggle("passed", passed.has(i));
    g.classList.toggle("flowing", step.edges.includes(i));
  });
  picture.classList.toggle("backward", isBackward(step));
  at("step").classList.toggle("backward", isBackward(step));
}

function tell(step) {
  const same = steps.filter((other) => other.phase === step.phase);
  const count = same.length > 1 ? ` ${same.indexOf(step) + 1} of ${same.length}` : "";
  at("where").textContent = `${phases[step.phase]}${count}:`;
  at("what").textContent = step.title;
  at("lines").replaceChildren(...step.lines.flatMap(([kind, text]) => {
    const [term, detail] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = kind;
    detail.textContent = text;
    term.className = detail.className = kind;
    return [term, detail];
  }));
  at("scrubber").value = current;
  at("scrubber").setAttribute("aria-valuetext", `${at("where").textContent} ${step.title}`);
  // Not the attribute disabled: the button may have the focus, and the keys would go nowhere.
  for (const id of ["first", "back"]) at(id).ariaDisabled = current === 0;
  for (const id of ["next", "last"]) at(id).ariaDisabled = current === steps.length - 1;
}

// Scroll the picture, and only it, until what this step is about can be seen.
function follow(step) {
  const frame = picture.getBoundingClientRect();
  const around = (ids) => {
    const places = ids.map((id) => at(id).getBoundingClientRect());
    const left = Math.min(...places.map((place) => place.left)) - frame.left;
    const right = Math.max(...places.map((place) => place.right)) - frame.left;
    const top = Math.min(...places.map((place) => place.top)) - frame.top;
    const bottom = Math.max(...places.map((place) => place.bottom)) - frame.top;
    return { left, right, top, bottom };
  };
  const fits = ({ left, right, top, bottom }) =>
    right - left <= frame.width && bottom - top <= frame.height;
  const isSeen = ({ left, right, top, bottom }) =>
    left >= 0 && top >= 0 && right <= frame.width && bottom <= frame.height;
  if (!step.vertices.length) return;
  const all = around(step.vertices);
  const aim = fits(all) ? all : around(step.vertices.slice(0, 1));
  if (isSeen(aim)) return;
  picture.scrollBy({
    left: (aim.left + aim.right - frame.width) / 2,
    top: (aim.top + aim.bottom - frame.height) / 2,
    behavior: calm.matches ? "auto" : "smooth",
  });
}

function play() {
  if (current === steps.length - 1) show(0);
  at("play").textContent = "Pause";
  at("step").setAttribute("aria-live", "off"); // a voice could not keep up
  const wait = () => {
    timer = setTimeout(() => { wait(); show(current + 1); }, PAUSE / at("speed").value);
  };
  wait();
}

function pause() {
  clearTimeout(timer);
  timer = null;
  at("play").textContent = "Play";
  at("step").setAttribute("aria-live", "polite");
}

function move(k) {
  pause();
  show(k);
}

function resize() {
  const wide = picture.clientWidth;
  const zoom = Number(at("size").value) || Math.min(1.5, wide / paper.width);
  svg.setAttribute("width", paper.width * zoom);
  svg.setAttribute("height", paper.height * zoom);
  follow(steps[current]);
}

const keys = {
  ArrowRight: () => move(current + 1),
  ArrowLeft: () => move(current - 1),
  Home: () => move(0),
  End: () => move(steps.length - 1),
  " ": () => (timer === null ? play() : pause()),
};

function press(event) {
  const own = event.target.closest("select") || (event.key === " " && event.target.closest("button"));
  if (own || event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
}

if (steps.length) {
  document.body.classList.add("moving");
  at("scrubber").max = steps.length - 1;
  at("first").onclick = keys.Home;
  at("back").onclick = keys.ArrowLeft;
  at("next").onclick = keys.ArrowRight;
  at("last").onclick = keys.End;
  at("play").onclick = keys[" "];
  at("scrubber").oninput = () => move(Number(at("scrubber").value));
  at("size").onchange = resize;
  document.addEventListener("keydown", press);
  addEventListener("resize", resize);
  // Fitted to the page, unless that would make the texts too small to read.
  at("size").value = picture.clientWidth < 0.8 * paper.width ? "1" : "0";
  resize();
  show(0);
}
