// What fingers, mouse and wheel do in the viewer. It decides what is meant; `view` (viewer.js) does it.

const AXIS = 8; // pixels until a drag has a direction
const TURN_SPEED = 0.4; // pixels per millisecond
const CLOSE_SPEED = 0.6;
const CLOSE_DISTANCE = 120;
const ABOUT_DISTANCE = 60;
const TURN_BEYOND = 64; // pixels over the edge of a zoomed photo
const DOUBLE_TAP_MS = 260;
const CONTROLS = "button, a, aside, .viewer-map, .viewer-film, .viewer-alt";

export function setUpGestures(dialog, view) {
  const pointers = new Map();
  let drag = null;
  let pinch = null;
  let tap = { at: 0, x: 0, y: 0, timer: 0 };

  const middle = () => {
    const all = [...pointers.values()];
    const [a, b] = [all[0], all[1] ?? all[0]];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, spread: Math.hypot(a.x - b.x, a.y - b.y) || 1 };
  };
  const begin = (x, y, at) => ({ x, y, at, lastX: x, lastY: y, lastAt: at, speedX: 0, speedY: 0, axis: "", over: 0 });

  dialog.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest(CONTROLS)) return;
    event.preventDefault();
    dialog.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pointers.size === 1) drag = begin(event.clientX, event.clientY, event.timeStamp);
    if (pointers.size === 2) {
      view.release();
      drag = null;
      pinch = middle();
    }
  });

  dialog.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pinch && pointers.size >= 2) {
      const now = middle();
      view.zoomBy(now.spread / pinch.spread, now.x, now.y, true);
      view.pan(now.x - pinch.x, now.y - pinch.y, true);
      pinch = now;
    } else if (drag) moveDrag(event);
  });

  function moveDrag(event) {
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    const passed = Math.max(1, event.timeStamp - drag.lastAt);
    drag.speedX = (event.clientX - drag.lastX) / passed;
    drag.speedY = (event.clientY - drag.lastY) / passed;
    if (!drag.axis) {
      if (Math.hypot(dx, dy) < AXIS) return;
      const sideways = Math.abs(dx) > Math.abs(dy);
      if (view.isZoomed() && !(view.isAtRest() && !sideways)) drag.axis = "pan";
      else drag.axis = sideways ? "turn" : dy > 0 ? "close" : "about";
    }
    if (drag.axis === "pan") {
      const beyond = view.pan(event.clientX - drag.lastX, event.clientY - drag.lastY);
      drag.over += beyond;
    } else if (drag.axis === "turn") view.slide(dx);
    else if (drag.axis === "close") view.pull(Math.max(0, dy));
    Object.assign(drag, { lastX: event.clientX, lastY: event.clientY, lastAt: event.timeStamp });
  }

  function end(event) {
    if (!pointers.delete(event.pointerId)) return;
    if (pinch) {
      if (pointers.size < 2) {
        pinch = null;
        view.release();
        const [left] = pointers.values();
        drag = left ? { ...begin(left.x, left.y, event.timeStamp), axis: "pan" } : null;
      }
      return;
    }
    const done = drag;
    drag = null;
    if (!done) return;
    if (event.type === "pointercancel") return view.release();
    const [dx, dy] = [event.clientX - done.x, event.clientY - done.y];
    if (!done.axis) return tapped(event);
    if (done.axis === "pan") {
      if (Math.abs(done.over) >= TURN_BEYOND && view.turn(done.over > 0 ? -1 : 1, true)) return;
    } else if (done.axis === "turn") {
      const far = Math.abs(dx) > innerWidth / 4 || Math.abs(done.speedX) > TURN_SPEED;
      if (far && view.turn(dx > 0 ? -1 : 1, true)) return;
    } else if (done.axis === "close") {
      if (dy > CLOSE_DISTANCE || done.speedY > CLOSE_SPEED) return view.close();
    } else if (dy < -ABOUT_DISTANCE) view.showAbout();
    view.release();
  }
  dialog.addEventListener("pointerup", end);
  dialog.addEventListener("pointercancel", end);

  function tapped(event) {
    const isSecond = event.timeStamp - tap.at < DOUBLE_TAP_MS && Math.hypot(event.clientX - tap.x, event.clientY - tap.y) < 40;
    clearTimeout(tap.timer);
    tap = { at: isSecond ? 0 : event.timeStamp, x: event.clientX, y: event.clientY, timer: 0 };
    if (isSecond) view.toggleReal(event.clientX, event.clientY);
    else if (event.pointerType !== "mouse") tap.timer = setTimeout(view.toggleChrome, DOUBLE_TAP_MS);
  }

  dialog.addEventListener(
    "wheel",
    (event) => {
      if (event.target.closest("aside, .viewer-alt")) return;
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      view.zoomBy(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)), event.clientX, event.clientY);
    },
    { passive: false },
  );
}
