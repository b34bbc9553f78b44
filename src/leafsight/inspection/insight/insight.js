"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("insight-data").textContent);
  const sheets = JSON.parse(byId("insight-sheets").textContent);
  const tip = byId("tip"), said = byId("said"), chooser = byId("chosen");
  const THUMB = 160, images = new Map(), plots = [];
  let chosen = -1;

  // Thumbnails -------------------------------------------------------------------------------------------------
  function sheetOf(number) {
    if (!images.has(number)) {
      const image = new Image();
      image.src = "data:image/jpeg;base64," + byId("sheet-" + number).textContent;
      images.set(number, image);
    }
    return images.get(number);
  }

  function spriteOf(photo, whenReady) {
    const place = data.places[photo];
    if (place < 0 || place >= sheets.placed) return null;
    const perSheet = sheets.columns * sheets.columns, image = sheetOf(Math.floor(place / perSheet));
    const inside = place % perSheet, side = sheets.side;
    const ready = image.complete && image.naturalWidth > 0;
    if (!ready) image.addEventListener("load", whenReady, { once: true });
    return { image, ready, side, x: (inside % sheets.columns) * side, y: Math.floor(inside / sheets.columns) * side };
  }

  function thumbnail(photo) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = THUMB * 2;
    const draw = () => {
      const pen = canvas.getContext("2d"), s = spriteOf(photo, draw);
      pen.imageSmoothingQuality = "high";
      if (s && s.ready) pen.drawImage(s.image, s.x, s.y, s.side, s.side, 0, 0, canvas.width, canvas.height);
      return s;
    };
    return draw() && canvas;
  }

  function line(element, text) {
    const made = document.createElement(element);
    made.textContent = text;
    made.dir = "auto";
    return made;
  }

  // The tip: photograph, class, name, value --------------------------------------------------------------------
  function showTip(x, y, photo, extra, aloud) {
    const pieces = [];
    if (photo !== null) {
      const picture = thumbnail(photo);
      if (picture) pieces.push(picture);
      pieces.push(line("b", data.classes[data.labels[photo]]), line("span", data.names[photo]));
    }
    if (extra) pieces.push(line("span", extra));
    tip.replaceChildren(...pieces);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
    const top = y + 16 + box.height > innerHeight ? y - 16 - box.height : y + 16;
    tip.style.left = Math.max(4, Math.min(left, innerWidth - box.width - 4)) + "px";
    tip.style.top = Math.max(4, Math.min(top, innerHeight - box.height - 4)) + "px";
    if (aloud) said.textContent = [...tip.children].map((one) => one.textContent).filter(Boolean).join(", ");
  }
  const hideTip = () => { tip.hidden = true; };

  // Picking out one class ----------------------------------------------------------------------------------------
  function choose(label) {
    chosen = label;
    if (chooser) chooser.value = String(label);
    for (const one of document.querySelectorAll("[data-class]")) {
      one.classList.toggle("chosen", Number(one.dataset.class) === label);
    }
    for (const one of document.querySelectorAll("[data-choose]")) {
      one.setAttribute("aria-pressed", String(Number(one.dataset.choose) === label));
    }
    for (const plot of plots) plot.draw();
  }
  if (chooser) chooser.addEventListener("change", () => choose(Number(chooser.value)));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose]");
    if (button) choose(Number(button.dataset.choose) === chosen ? -1 : Number(button.dataset.choose));
  });

  // Dots and pictures that stand in the page itself ----------------------------------------------------------------
  function tipOf(element, aloud) {
    const box = element.getBoundingClientRect();
    const photo = element.dataset.photo === undefined ? null : Number(element.dataset.photo);
    showTip(box.left + box.width / 2, box.top + box.height / 2, photo, element.dataset.value || "", aloud);
  }
  document.addEventListener("pointerover", (event) => {
    const marked = event.target.closest && event.target.closest("[data-photo]");
    const cell = event.target.closest && event.target.closest("[data-said]");
    if (marked) tipOf(marked, false);
    else if (cell) showTip(event.clientX, event.clientY, null, cell.dataset.said, false);
    else if (event.target.tagName !== "CANVAS") hideTip();
  });
  for (const item of document.querySelectorAll("li[data-photo]")) {
    item.addEventListener("focus", () => tipOf(item, true));
    item.addEventListener("blur", hideTip);
  }
  for (const group of document.querySelectorAll(".spread")) {
    let at = -1;
    const dots = [...group.querySelectorAll("[data-photo]")];
    const lines = dots.map((dot) => dot.closest(".line-of"));
    const go = (to) => {
      if (at >= 0) dots[at].classList.remove("at");
      at = to;
      dots[at].classList.add("at");
      dots[at].scrollIntoView({ block: "nearest" });
      tipOf(dots[at], true);
    };
    group.addEventListener("keydown", (event) => {
      if (!dots.length || event.ctrlKey || event.metaKey || event.altKey) return;
      const last = dots.length - 1;
      let to = null;
      if (event.key === "ArrowRight") to = Math.min(at + 1, last);
      else if (event.key === "ArrowLeft") to = Math.max(at - 1, 0);
      else if (event.key === "ArrowDown") {
        const next = dots.findIndex((_, i) => i > at && (at < 0 || lines[i] !== lines[at]));
        to = next < 0 ? last : next;
      } else if (event.key === "ArrowUp") {
        let before = Math.max(at, 0);
        while (before > 0 && lines[before] === lines[Math.max(at, 0)]) before -= 1;
        to = lines.indexOf(lines[before]);
      } else if (event.key === "Escape") hideTip();
      if (to !== null) { event.preventDefault(); go(to); }
    });
    group.addEventListener("blur", () => { if (at >= 0) dots[at].classList.remove("at"); hideTip(); });
  }
  addEventListener("scroll", hideTip, { passive: true });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });

  // Scatter plots ----------------------------------------------------------------------------------------------------
  const places = new Map(data.apart.map((label, place) => [label, place]));
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const rounded = (value) => Number(value.toPrecision(4)).toLocaleString("en-US");

  function extent(values, log) {
    let low = Infinity, high = -Infinity;
    for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
    if (log) { low = Math.log(low); high = Math.log(high); }
    const margin = (high - low || Math.abs(high) || 1) * 0.05;
    return [low - margin, high + margin];
  }

  function niceTicks(low, high, count) {
    const rough = (high - low) / count, unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((n) => n * unit).find((n) => n >= rough);
    const found = [];
    for (let i = Math.ceil(low / step); i * step <= high; i += 1) found.push(Number((i * step).toPrecision(12)));
    return found;
  }

  function logTicks(low, high, count) {
    let found = [];
    for (const steps of [[1], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]]) {
      found = [];
      for (let d = Math.floor(Math.log10(low)); d <= Math.ceil(Math.log10(high)); d += 1) {
        for (const s of steps) if (s * 10 ** d >= low && s * 10 ** d <= high) found.push(s * 10 ** d);
      }
      if (found.length >= 3) break;
    }
    return found.length < 3 ? niceTicks(low, high, count) : found;
  }

  class Scatter {
    constructor(box) {
      this.box = box;
      this.canvas = box.querySelector("canvas");
      this.fig = data.figures[box.dataset.figure];
      const { x, y, xAxis, yAxis } = this.fig;
      this.xEnds = extent(x, xAxis.log);
      this.yEnds = extent(y, yAxis.log);
      const unit = (values, [low, high], log) => Float32Array.from(values, (v) => ((log ? Math.log(v) : v) - low) / (high - low));
      this.u = unit(x, this.xEnds, xAxis.log);
      this.v = unit(y, this.yEnds, yAxis.log);
      this.most = this.fig.counts ? Math.max(...this.fig.counts) : 1;
      this.zoom = 1; this.left = 0; this.low = 0;   // the part that is seen: [left, left + 1/zoom] x [low, low + 1/zoom]
      this.at = -1;
      this.pointers = new Map();
      this.listen();
      new ResizeObserver(() => this.resize()).observe(this.canvas);
      this.resize();
    }

    resize() {
      const box = this.canvas.getBoundingClientRect(), ratio = devicePixelRatio || 1;
      this.width = Math.max(box.width - 2, 10); this.height = Math.max(box.height - 2, 10);
      this.canvas.width = Math.round(this.width * ratio); this.canvas.height = Math.round(this.height * ratio);
      this.ratio = ratio;
      this.area = { x: this.fig.yAxis.unit ? 58 : 16, y: 14, w: 0, h: 0 };
      this.area.w = this.width - this.area.x - 16;
      this.area.h = this.height - this.area.y - (this.fig.xAxis.unit ? 44 : 30);
      this.draw();
    }

    screen(i) {
      const a = this.area;
      return [a.x + (this.u[i] - this.left) * this.zoom * a.w, a.y + a.h - (this.v[i] - this.low) * this.zoom * a.h];
    }

    radius(i) {
      if (this.fig.counts) return 3 + 17 * Math.sqrt(this.fig.counts[i] / this.most);
      return Math.min(5, Math.max(1.7, Math.min(4.5, 90 / Math.sqrt(this.u.length))) * Math.sqrt(this.zoom));
    }

    labelOf(i) { return data.labels[this.fig.photos[i]]; }

    draw() {
      if (this.queued) return;
      this.queued = true;
      requestAnimationFrame(() => { this.queued = false; this.paint(); });
    }

    paint() {
      const pen = this.canvas.getContext("2d"), a = this.area;
      pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      pen.clearRect(0, 0, this.width, this.height);
      pen.font = "12px system-ui, sans-serif";
      this.paintAxes(pen);
      pen.save();
      pen.beginPath(); pen.rect(a.x - 6, a.y - 6, a.w + 12, a.h + 12); pen.clip();
      const groups = this.grouped();
      for (const key of [...groups.keys()].sort((one, other) => one - other)) this.paintGroup(pen, key, groups.get(key));
      this.paintThumbnails(pen);
      if (this.fig.byClass) this.paintNames(pen);
      if (this.at >= 0) {
        const [x, y] = this.screen(this.at);
        pen.strokeStyle = colour("--ink"); pen.lineWidth = 2;
        pen.beginPath(); pen.arc(x, y, this.radius(this.at) + 4, 0, 2 * Math.PI); pen.stroke();
      }
      pen.restore();
    }

    // Dots by colour: -1 grey, 0 to 15 a class of its own, 98 all alike, 99 the class that is picked out.
    grouped() {
      if (this.groups && this.groupedFor === chosen) return this.groups;
      this.groups = new Map();
      this.groupedFor = chosen;
      for (let i = 0; i < this.u.length; i += 1) {
        const label = this.labelOf(i);
        const key = chosen >= 0 ? (label === chosen ? 99 : -1) : !this.fig.byClass ? 98 : places.has(label) ? places.get(label) : -1;
        if (!this.groups.has(key)) this.groups.set(key, []);
        this.groups.get(key).push(i);
      }
      return this.groups;
    }

    paintGroup(pen, key, members) {
      const a = this.area, triangle = key >= 8 && key < 16;
      pen.fillStyle = key === -1 ? colour("--others") : key >= 98 ? colour("--mark") : colour("--k" + (key % 8));
      pen.globalAlpha = this.fig.counts ? 0.5 : key === -1 ? 0.45 : members.length > 8000 ? 0.55 : 0.8;
      const many = this.u.length > 12000 && !this.fig.counts, square = this.radius(0) * 1.7;
      const right = a.x + a.w, foot = a.y + a.h, wide = this.zoom * a.w, high = this.zoom * a.h;
      pen.beginPath();
      for (const i of members) {
        const x = a.x + (this.u[i] - this.left) * wide, y = foot - (this.v[i] - this.low) * high;
        if (x < a.x - 30 || x > right + 30 || y < a.y - 30 || y > foot + 30) continue;
        // One path of many thousand pieces is slower to fill than as many squares.
        if (many) { pen.fillRect(x - square / 2, y - square / 2, square, square); continue; }
        const r = this.radius(i);
        if (triangle) {
          pen.moveTo(x, y - r * 1.2); pen.lineTo(x + r * 1.1, y + r * 0.8); pen.lineTo(x - r * 1.1, y + r * 0.8); pen.closePath();
        } else { pen.moveTo(x + r, y); pen.arc(x, y, r, 0, 2 * Math.PI); }
      }
      pen.fill();
      if (this.fig.counts) { pen.globalAlpha = 1; pen.strokeStyle = pen.fillStyle; pen.lineWidth = 0.8; pen.stroke(); }
      pen.globalAlpha = 1;
    }

    // Close enough, dots become photographs.
    paintThumbnails(pen) {
      if (this.zoom < 2) return;
      const a = this.area, seen = [];
      for (let i = 0; i < this.u.length; i += 1) {
        const [x, y] = this.screen(i);
        if (x >= a.x && x <= a.x + a.w && y >= a.y && y <= a.y + a.h) seen.push(i);
        if (seen.length > 90) return;
      }
      const side = 52;
      for (const i of seen) {
        const s = spriteOf(this.fig.photos[i], () => this.draw());
        if (!s || !s.ready) continue;
        const [x, y] = this.screen(i), label = this.labelOf(i), place = places.get(label);
        const faint = chosen >= 0 && label !== chosen;
        pen.globalAlpha = faint ? 0.35 : 1;
        pen.drawImage(s.image, s.x, s.y, s.side, s.side, x - side / 2, y - side / 2, side, side);
        pen.strokeStyle = !this.fig.byClass ? colour("--mark") : place === undefined ? colour("--others") : colour("--k" + (place % 8));
        pen.lineWidth = 3;
        pen.strokeRect(x - side / 2, y - side / 2, side, side);
        pen.globalAlpha = 1;
      }
    }

    paintNames(pen) {
      const wanted = chosen >= 0 ? [chosen] : data.classes.length <= 12 ? data.apart : [];
      const middle = (values) => values.sort((p, q) => p - q)[values.length >> 1];
      const taken = [];
      pen.textAlign = "center"; pen.textBaseline = "middle"; pen.lineWidth = 4; pen.lineJoin = "round";
      pen.font = "600 12px system-ui, sans-serif";
      for (const label of wanted) {
        const mine = [];
        for (let i = 0; i < this.u.length; i += 1) if (this.labelOf(i) === label) mine.push(this.screen(i));
        if (!mine.length) continue;
        const text = data.classes[label].length > 30 ? data.classes[label].slice(0, 29) + "…" : data.classes[label];
        const half = pen.measureText(text).width / 2 + 4, a = this.area;
        let x = middle(mine.map((p) => p[0])), y = middle(mine.map((p) => p[1]));
        if (x < a.x - 20 || x > a.x + a.w + 20 || y < a.y || y > a.y + a.h) continue;
        x = Math.max(a.x + half, Math.min(x, a.x + a.w - half));
        // A name that would stand far from its dots says nothing; the legend has it anyway.
        const clash = () => taken.some((t) => Math.abs(t[0] - x) < t[2] + half && Math.abs(t[1] - y) < 15);
        for (let tries = 0; tries < 3 && clash(); tries += 1) y += 8;
        if (clash()) continue;
        taken.push([x, y, half]);
        pen.strokeStyle = colour("--card"); pen.strokeText(text, x, y);
        pen.fillStyle = colour("--ink"); pen.fillText(text, x, y);
      }
      pen.font = "12px system-ui, sans-serif";
    }

    paintAxes(pen) {
      const a = this.area, { xAxis, yAxis } = this.fig;
      pen.strokeStyle = colour("--grid"); pen.fillStyle = colour("--soft"); pen.lineWidth = 1;
      const seen = (ends, from, log) => {
        const of = (t) => ends[0] + t * (ends[1] - ends[0]);
        const two = [of(from), of(from + 1 / this.zoom)];
        return log ? two.map(Math.exp) : two;
      };
      const list = (axis, ends, from, count) => {
        if (!axis.unit) return [];
        const [low, high] = seen(ends, from, axis.log);
        return (axis.log ? logTicks : niceTicks)(low, high, count).map((value) => {
          const t = ((axis.log ? Math.log(value) : value) - ends[0]) / (ends[1] - ends[0]);
          return [value, (t - from) * this.zoom];
        });
      };
      pen.textAlign = "center"; pen.textBaseline = "top";
      for (const [value, t] of list(xAxis, this.xEnds, this.left, Math.max(2, a.w / 110))) {
        const x = a.x + t * a.w;
        pen.beginPath(); pen.moveTo(x, a.y); pen.lineTo(x, a.y + a.h); pen.stroke();
        pen.fillText(rounded(value), x, a.y + a.h + 5);
      }
      const name = (axis) => (axis.unit ? axis.label + " (" + axis.unit + ")" : axis.label);
      pen.fillText(name(xAxis), a.x + a.w / 2, this.height - 17);
      pen.textAlign = "right"; pen.textBaseline = "middle";
      for (const [value, t] of list(yAxis, this.yEnds, this.low, Math.max(2, a.h / 70))) {
        const y = a.y + a.h - t * a.h;
        pen.beginPath(); pen.moveTo(a.x, y); pen.lineTo(a.x + a.w, y); pen.stroke();
        pen.fillText(rounded(value), a.x - 6, y);
      }
      pen.save();
      pen.translate(10, a.y + a.h / 2); pen.rotate(-Math.PI / 2); pen.textAlign = "center";
      pen.fillText(name(yAxis), 0, 0);
      pen.restore();
    }

    zoomAt(factor, x, y) {
      const a = this.area, s = (x - a.x) / a.w, t = (a.y + a.h - y) / a.h;
      const u = this.left + s / this.zoom, v = this.low + t / this.zoom;
      this.zoom = Math.max(1, Math.min(200, this.zoom * factor));
      this.left = u - s / this.zoom; this.low = v - t / this.zoom;
      this.settle();
    }

    settle() {
      const most = 1 - 1 / this.zoom;
      this.left = Math.max(0, Math.min(this.left, most)); this.low = Math.max(0, Math.min(this.low, most));
      // Unzoomed, a finger scrolls the page; zoomed, it moves the picture.
      this.canvas.style.touchAction = this.zoom > 1 ? "none" : "pan-y";
      hideTip();
      this.draw();
    }

    move(dx, dy) {
      this.left -= dx / this.area.w / this.zoom; this.low += dy / this.area.h / this.zoom;
      this.settle();
    }

    nearest(x, y, within) {
      let best = -1, least = within * within;
      for (let i = 0; i < this.u.length; i += 1) {
        if (chosen >= 0 && this.labelOf(i) !== chosen) continue;
        const [px, py] = this.screen(i), away = Math.hypot(px - x, py - y) - (this.fig.counts ? this.radius(i) : 0);
        const d = Math.max(away, 0) ** 2;
        if (d < least) { least = d; best = i; }
      }
      return best;
    }

    show(i, aloud) {
      this.at = i;
      this.draw();
      if (i < 0) { hideTip(); return; }
      const [x, y] = this.screen(i), box = this.canvas.getBoundingClientRect(), { xAxis, yAxis, counts } = this.fig;
      let extra = "";
      if (xAxis.unit) extra = rounded(this.fig.x[i]) + " " + xAxis.unit + ", " + rounded(this.fig.y[i]) + " " + yAxis.unit;
      if (xAxis.unit === "px") extra = this.fig.x[i] + " × " + this.fig.y[i] + " px";
      if (counts) extra += counts[i] > 1 ? ": " + counts[i].toLocaleString("en-US") + " photographs, one of them shown" : "";
      showTip(box.left + x, box.top + y, this.fig.photos[i], extra, aloud);
    }

    // The nearest dot in a direction: far aside counts three times.
    step(dx, dy) {
      const a = this.area;
      if (this.at < 0) { this.show(this.nearest(a.x + a.w / 2, a.y + a.h / 2, Infinity), true); return; }
      const [x, y] = this.screen(this.at);
      let best = -1, least = Infinity;
      for (let i = 0; i < this.u.length; i += 1) {
        if (i === this.at || (chosen >= 0 && this.labelOf(i) !== chosen)) continue;
        const [px, py] = this.screen(i), ahead = (px - x) * dx + (py - y) * dy;
        if (ahead <= 0.5) continue;
        const d = ahead + 3 * Math.abs((px - x) * dy - (py - y) * dx);
        if (d < least) { least = d; best = i; }
      }
      if (best < 0) return;
      const [bx, by] = this.screen(best);
      if (bx < a.x || bx > a.x + a.w || by < a.y || by > a.y + a.h) this.move(a.x + a.w / 2 - bx, a.y + a.h / 2 - by);
      this.show(best, true);
    }

    listen() {
      const c = this.canvas, at = (event) => {
        const box = c.getBoundingClientRect();
        return [event.clientX - box.left, event.clientY - box.top];
      };
      c.addEventListener("pointerdown", (event) => { c.setPointerCapture(event.pointerId); this.pointers.set(event.pointerId, at(event)); });
      c.addEventListener("pointermove", (event) => {
        const [x, y] = at(event), before = this.pointers.get(event.pointerId);
        if (!before) { this.show(this.nearest(x, y, 14), false); return; }
        if (this.pointers.size === 2) {
          const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, p]) => p);
          const was = Math.hypot(before[0] - other[0], before[1] - other[1]), is = Math.hypot(x - other[0], y - other[1]);
          if (was > 4) this.zoomAt(is / was, (x + other[0]) / 2, (y + other[1]) / 2);
        } else if (Math.hypot(x - before[0], y - before[1]) > 0) this.move(x - before[0], y - before[1]);
        this.pointers.set(event.pointerId, [x, y]);
      });
      for (const end of ["pointerup", "pointercancel"]) c.addEventListener(end, (event) => {
        this.pointers.delete(event.pointerId);
        if (end === "pointerup") { const [x, y] = at(event); this.show(this.nearest(x, y, 14), false); }
      });
      c.addEventListener("pointerleave", () => { if (document.activeElement !== c) this.show(-1, false); });
      c.addEventListener("blur", () => this.show(-1, false));
      c.addEventListener("dblclick", (event) => this.zoomAt(2, ...at(event)));
      c.addEventListener("wheel", (event) => {
        if (document.activeElement !== c && !event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...at(event));
      }, { passive: false });
      c.addEventListener("keydown", (event) => this.key(event));
      for (const tool of this.box.querySelectorAll("[data-tool]")) tool.addEventListener("click", () => this.tool(tool.dataset.tool));
    }

    tool(name) {
      const a = this.area, point = this.at >= 0 ? this.screen(this.at) : [a.x + a.w / 2, a.y + a.h / 2];
      if (name === "all") { this.zoom = 1; this.settle(); } else this.zoomAt(name === "in" ? 1.5 : 1 / 1.5, ...point);
      if (this.at >= 0 && document.activeElement === this.canvas) this.show(this.at, false);
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (way && event.shiftKey) this.move(-way[0] * 60, -way[1] * 60);
      else if (way) this.step(...way);
      else if (event.key === "+" || event.key === "=") this.tool("in");
      else if (event.key === "-") this.tool("out");
      else if (event.key === "0") this.tool("all");
      else return;
      event.preventDefault();
    }
  }

  for (const box of document.querySelectorAll(".scatter")) plots.push(new Scatter(box));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach((plot) => plot.draw()));
})();
