// One picture of a few pixels under a finger or a mouse: paint on it, erase parts, or point at one.
//
// `data`: rows, columns; picture, bytes as base64, 3 for each pixel; mode "paint", "erase" or "point";
// brush, radius in pixels; ink, [r, g, b]; site, [row, column] or null; token, which names the picture:
// whatever was done to another one is forgotten. Tells the token and, after a blank, base64 of what was
// painted (3 bytes a pixel) or erased (1 byte) as `value`; or "row,column", once for each `click`.

const UNKNOWN = [115, 158, 217]; // as pixelcnn.plots has it

function toBytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function toText(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function begin(canvas, data) {
  canvas.width = data.columns;
  canvas.height = data.rows;
  canvas.token = data.token;
  canvas.pixels = toBytes(data.picture);
  canvas.erased = new Uint8Array(data.rows * data.columns);
}

function show(canvas, data) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(data.columns, data.rows);
  for (let at = 0; at < data.rows * data.columns; at += 1) {
    for (let c = 0; c < 3; c += 1) {
      image.data[4 * at + c] = canvas.erased[at] ? UNKNOWN[c] : canvas.pixels[3 * at + c];
    }
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function stroke(canvas, data, [row, column]) {
  const reach = Math.ceil(data.brush + 1);
  for (let r = Math.floor(row) - reach; r <= row + reach; r += 1) {
    for (let c = Math.floor(column) - reach; c <= column + reach; c += 1) {
      if (r < 0 || c < 0 || r >= data.rows || c >= data.columns) continue;
      const distance = Math.hypot(r + 0.5 - row, c + 0.5 - column);
      const cover = Math.min(1, Math.max(0, data.brush + 0.5 - distance));
      const at = r * data.columns + c;
      if (data.mode === "erase" && cover >= 0.5) canvas.erased[at] = 1;
      if (data.mode !== "paint") continue;
      for (let k = 0; k < 3; k += 1) {
        const now = canvas.pixels[3 * at + k];
        canvas.pixels[3 * at + k] = Math.round(now + cover * (data.ink[k] - now));
      }
    }
  }
}

function line(canvas, data, from, to) {
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
  for (let step = 0; step <= steps; step += 1) {
    const share = step / steps;
    stroke(canvas, data, [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])]);
  }
}

function place(canvas, data, event) {
  const box = canvas.getBoundingClientRect();
  const row = ((event.clientY - box.top) / box.height) * data.rows;
  const column = ((event.clientX - box.left) / box.width) * data.columns;
  return [row, column];
}

function mark(frame, data) {
  const cross = frame.querySelector(".site");
  cross.hidden = !data.site;
  if (!data.site) return;
  cross.style.top = `${(100 * data.site[0]) / data.rows}%`;
  cross.style.left = `${(100 * data.site[1]) / data.columns}%`;
  cross.style.height = `${100 / data.rows}%`;
  cross.style.width = `${100 / data.columns}%`;
}

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const frame = parentElement.querySelector(".frame");
  const canvas = frame.querySelector("canvas");
  const clear = parentElement.querySelector("button");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", data.label);
  frame.style.maxWidth = `${data.side}px`;
  clear.hidden = data.mode === "point";
  // A finger that paints must not scroll the page; one that points may.
  canvas.style.touchAction = data.mode === "point" ? "manipulation" : "none";
  if (canvas.token !== data.token) begin(canvas, data);
  show(canvas, data);
  mark(frame, data);

  const tell = () => {
    const done = data.mode === "paint" ? canvas.pixels : canvas.erased;
    setStateValue("value", `${data.token} ${toText(done)}`);
  };
  let last = null;
  canvas.onpointerdown = (event) => {
    if (event.button !== 0) return;
    const [row, column] = place(canvas, data, event);
    if (data.mode === "point") {
      const r = Math.min(data.rows - 1, Math.max(0, Math.floor(row)));
      const c = Math.min(data.columns - 1, Math.max(0, Math.floor(column)));
      setTriggerValue("click", `${data.token} ${r},${c}`);
      return;
    }
    canvas.setPointerCapture(event.pointerId);
    last = [row, column];
    line(canvas, data, last, last);
    show(canvas, data);
  };
  canvas.onpointermove = (event) => {
    if (!last) return;
    const next = place(canvas, data, event);
    line(canvas, data, last, next);
    last = next;
    show(canvas, data);
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!last) return;
    last = null;
    tell();
  };
  clear.onclick = () => {
    begin(canvas, data);
    show(canvas, data);
    tell();
  };
}
