"use strict";
// The figure of a component: draws value, derivative and second derivative anew when a parameter moves.
// The page gives `lossfwFigure`: parameters, switches, and for each setting of the switches
// the three functions, which were written by lossfw from the component's own body.
(() => {
  const facts = window.lossfwFigure;
  const figure = document.getElementById("curves");
  if (!facts || !figure) return;

  const POINTS = 241;
  // A picture ends at this many times the 0.9 quantile of a curve's sizes.
  const TOP = 3;
  // A change by more than this share of the picture, between neighbours, may be a jump.
  const LEAP = 0.1;
  // Curves that follow their parameters reach so far at least, and so far past the largest.
  const REACH = 3, PAST = 1.5;
  const SVG = "http://www.w3.org/2000/svg";

  const panels = [...figure.querySelectorAll("svg")];
  const readout = document.getElementById("readout");
  const defaults = Object.fromEntries(facts.parameters.map(p => [p.name, p.default]));
  const state = { values: { ...defaults }, body: 0, kept: null, at: 0.62 };
  // What each panel shows: its frame, and the function that is drawn.
  const shown = [];

  // ---- mathematics

  const body = () => facts.bodies[state.body];

  // A function of the place along the line, of a body whose parameters have these values.
  function along({ functions, places }, order, values) {
    const given = [...places.map(() => 0), ...values];
    const f = functions[order];
    return x => {
      for (let i = 0; i < places.length; i += 1) given[i] = places[i][0] + places[i][1] * x;
      return f.apply(null, given);
    };
  }

  const listed = values => facts.parameters.map(p => values[p.name]);

  function span() {
    const { low, high, follows } = body();
    if (!follows) return [low, high];
    const marks = facts.parameters.map(p => PAST * Math.abs(state.values[p.name]));
    // It widens by doubling: in a window that followed each step a scale would change no curve.
    const wanted = Math.max(...marks, 0), least = Math.max(REACH, -low);
    const reach = least * 2 ** Math.max(0, Math.ceil(Math.log2(wanted / least)));
    return [-reach, reach];
  }

  function sample(f, [low, high]) {
    const ys = new Array(POINTS);
    for (let i = 0; i < POINTS; i += 1) ys[i] = f(low + (high - low) * i / (POINTS - 1));
    return { f, ys, low, step: (high - low) / (POINTS - 1) };
  }

  function limits(curves) {
    const found = curves.flatMap(curve => curve.ys).filter(Number.isFinite);
    if (!found.length) return [-1, 1];
    const sizes = found.map(Math.abs).sort((a, b) => a - b);
    const usual = Math.max(sizes[Math.floor(0.9 * (sizes.length - 1))], 1e-3);
    const low = Math.max(Math.min(...found), -TOP * usual);
    const high = Math.min(Math.max(...found), TOP * usual);
    const margin = 0.06 * (high - low) || 0.5;
    return [low - margin, high + margin];
  }

  function ticks([low, high], count) {
    const size = 10 ** Math.floor(Math.log10((high - low) / count));
    const step = size * [1, 2, 5, 10].find(m => (high - low) / (size * m) <= count);
    const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  }

  // ---- the numbers that are claimed, at the steps of the slider that was moved

  function claims() {
    const moved = facts.parameters.filter(p => state.values[p.name] !== p.default);
    if (moved.length > 1 || state.body !== 0) return {};
    const parameter = moved[0] || facts.parameters[0];
    if (!parameter) return facts.claims;
    const step = parameter.steps.indexOf(state.values[parameter.name]);
    return step < 0 ? {} : parameter.claims[step];
  }

  // ---- drawing

  const element = (tag, attributes, text) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const spoken = x => String(Number(x.toPrecision(6))).replace("-", "\u2212");

  function frame(panel, across, up) {
    const [left, top, right, bottom] = panel.dataset.frame.split(" ").map(Number);
    return {
      left, top, right, bottom, across, up,
      x: v => left + (right - left) * (v - across[0]) / (across[1] - across[0]),
      y: v => bottom - (bottom - top) * (v - up[0]) / (up[1] - up[0]),
    };
  }

  // A jump is where halving the step does not halve the change.
  function jumps(curve, i, height) {
    const a = curve.ys[i - 1], b = curve.ys[i];
    if (!(Math.abs(b - a) > LEAP * height)) return false;
    const middle = curve.f(curve.low + (i - 0.5) * curve.step);
    return Math.min(Math.abs(middle - a), Math.abs(middle - b)) < 1e-6 * height;
  }

  // Rounded to a tenth of a pixel, which is quicker than a text of so many digits.
  const tenth = x => Math.round(10 * x) / 10;

  function path(curve, box) {
    const height = box.up[1] - box.up[0], width = (box.right - box.left) / (POINTS - 1);
    const parts = [];
    let down = false;
    for (let i = 0; i < POINTS; i += 1) {
      const y = curve.ys[i];
      if (!Number.isFinite(y)) { down = false; continue; }
      if (down && jumps(curve, i, height)) down = false;
      const place = Math.max(-2000, Math.min(2000, box.y(y)));
      parts.push(down ? "L" : "M", tenth(box.left + i * width), " ", tenth(place));
      down = true;
    }
    return parts.join("");
  }

  function grid(box) {
    const lines = [];
    for (const t of ticks(box.across, 5)) {
      lines.push(element("path", { class: "grid", d: `M${box.x(t)} ${box.top}V${box.bottom}` }));
      lines.push(element("text", { x: box.x(t), y: box.bottom + 14, "text-anchor": "middle" }, spoken(t)));
    }
    for (const t of ticks(box.up, 4)) {
      lines.push(element("path", { class: "grid", d: `M${box.left} ${box.y(t)}H${box.right}` }));
      lines.push(element("text", { x: box.left - 5, y: box.y(t) + 4, "text-anchor": "end" }, spoken(t)));
    }
    return lines;
  }

  // Claimed bounds as dashed lines, by the order of the derivative that they bound.
  const BOUNDS = [
    [["bounded", 1, "bound"], ["lower_bound", 1, "lower bound"], ["low", 1, "infimum"], ["high", 1, "supremum"]],
    [["lipschitz", 1, "Lipschitz constant"], ["lipschitz", -1, ""]],
    [["gradient_lipschitz", 1, "bound of the second derivative"], ["gradient_lipschitz", -1, ""]],
  ];
  const BREAKS = ["breaks", "second_breaks"];

  function claimed(order, box, f) {
    const found = claims(), marks = [];
    for (const [name, sign, words] of BOUNDS[order]) {
      const value = sign * found[name];
      if (!Number.isFinite(value) || value < box.up[0] || value > box.up[1]) continue;
      const y = box.y(value);
      marks.push(element("path", { class: "claimed", d: `M${box.left} ${y}H${box.right}` }));
      const beside = y - 4 < box.top + 9 ? y + 12 : y - 4;
      marks.push(element("text", { class: "words", x: box.left + 3, y: beside }, words));
    }
    for (const x of found[BREAKS[order]] || []) {
      if (x <= box.across[0] || x >= box.across[1]) continue;
      const y = box.y(f(x));
      if (Number.isFinite(y)) marks.push(element("circle", { class: `ring c${order}`, cx: box.x(x), cy: y, r: 3.6 }));
    }
    return marks;
  }

  function draw() {
    const across = span(), values = listed(state.values), others = listed(state.kept || defaults);
    const differs = others.some((other, i) => other !== values[i]);
    const parts = state.body === 0 ? facts.parts : [];
    panels.forEach((panel, order) => {
      const curve = sample(along(body(), order, values), across);
      const ghosts = differs ? [sample(along(body(), order, others), across)] : [];
      const beside = parts.map(one => sample(along(one, order, one.values), across));
      const box = frame(panel, across, limits([curve, ...ghosts, ...beside]));
      const keep = [...panel.children].filter(child => child.matches("title, .title, clipPath, .label"));
      const inside = element("g", { "clip-path": `url(#frame-${order})` });
      if (box.up[0] < 0 && box.up[1] > 0) {
        inside.append(element("path", { class: "axis", d: `M${box.left} ${box.y(0)}H${box.right}` }));
      }
      for (const ghost of ghosts) inside.append(element("path", { class: "curve kept", d: path(ghost, box) }));
      inside.append(element("path", { class: `curve c${order}`, d: path(curve, box) }));
      for (const one of beside) inside.append(element("path", { class: "part", d: path(one, box) }));
      inside.append(...claimed(order, box, curve.f));
      inside.append(element("path", { class: "cursor" }));
      panel.replaceChildren(...keep, ...grid(box), inside);
      panel.querySelector(".label").textContent = body().short;
      shown[order] = { box, f: curve.f };
    });
    document.getElementById("line").textContent = body().label;
    point();
    figure.dataset.drawn = String(Number(figure.dataset.drawn || 0) + 1);
  }

  // The cursor and what is read there: curves stay as they are.
  function point() {
    const [low, high] = shown[0].box.across;
    const at = low + (high - low) * state.at;
    const names = ["value", "derivative", "second derivative"];
    const said = panels.map((panel, order) => {
      const { box, f } = shown[order], x = tenth(box.x(at));
      panel.querySelector(".cursor").setAttribute("d", `M${x} ${box.top}V${box.bottom}`);
      return `${names[order]} ${spoken(f(at))}`;
    });
    readout.textContent = [`${body().letter} = ${spoken(at)}`, ...said].join(" \u00b7 ");
  }

  // ---- controls

  function control(label, input, output) {
    const made = document.createElement("label");
    const words = document.createElement("span");
    // Else it would be the label of the number, which stands first.
    input.id = `control-${label}`;
    made.htmlFor = input.id;
    words.append(label, output ? " = " : "", output || "");
    made.append(words, input);
    return made;
  }

  function slider(parameter) {
    const input = document.createElement("input"), output = document.createElement("output");
    Object.assign(input, { type: "range", min: 0, max: parameter.steps.length - 1, step: 1 });
    input.dataset.parameter = parameter.name;
    const show = () => {
      const value = state.values[parameter.name];
      input.value = String(parameter.steps.indexOf(value));
      output.textContent = String(value);
      input.setAttribute("aria-valuetext", `${parameter.name} ${value}`);
    };
    input.addEventListener("input", () => {
      state.values[parameter.name] = parameter.steps[Number(input.value)];
      show();
      draw();
    });
    show();
    return { made: control(parameter.name, input, output), show };
  }

  function choice(one, index) {
    const select = document.createElement("select");
    select.dataset.switch = one.name;
    for (const option of one.options) select.append(new Option(option.words, option.words));
    select.addEventListener("change", () => {
      state.settings[index] = select.selectedIndex;
      state.body = facts.settings.findIndex(setting => setting.every((place, i) => place === state.settings[i]));
      draw();
    });
    return control(one.name, select);
  }

  function button(words, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.addEventListener("click", () => act(made));
    return made;
  }

  state.settings = facts.switches.map(() => 0);
  const sliders = facts.parameters.map(slider);
  const controls = document.createElement("div");
  controls.className = "controls";
  controls.append(...sliders.map(one => one.made), ...facts.switches.map(choice));
  if (facts.parameters.length) {
    controls.append(
      button("Keep this curve", made => {
        state.kept = state.kept ? null : { ...state.values };
        made.setAttribute("aria-pressed", String(Boolean(state.kept)));
        draw();
      }),
      button("Reset", () => {
        Object.assign(state.values, defaults);
        state.kept = null;
        controls.querySelectorAll("[aria-pressed]").forEach(made => made.setAttribute("aria-pressed", "false"));
        sliders.forEach(one => one.show());
        draw();
      }),
    );
  }
  // Above the curves: on a phone they stay in sight while a slider moves.
  figure.prepend(controls);

  const cursor = document.createElement("input");
  Object.assign(cursor, { type: "range", min: 0, max: 200, step: 1, value: state.at * 200, id: "cursor" });
  cursor.setAttribute("aria-label", `place on the axis: ${body().label}`);
  const move = at => { state.at = Math.max(0, Math.min(1, at)); point(); };
  cursor.addEventListener("input", () => move(Number(cursor.value) / 200));
  readout.before(cursor);
  for (const panel of panels) {
    panel.addEventListener("pointermove", event => {
      const [left, , right] = panel.dataset.frame.split(" ").map(Number);
      const shown = panel.getBoundingClientRect();
      const x = (event.clientX - shown.left) * panel.viewBox.baseVal.width / shown.width;
      move((x - left) / (right - left));
      cursor.value = String(Math.round(state.at * 200));
    });
  }
  draw();
})();
