// What tests/web/audit.py asks of a page: three functions, each of which returns one line a fault.
({
  structure: () => {
    const seen = (e) => e.checkVisibility({visibilityProperty: true, opacityProperty: false});
    const faults = [];
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`the id ${id} is there twice`);
    for (const name of ["aria-controls", "aria-labelledby", "aria-describedby", "for"])
      for (const e of document.querySelectorAll(`[${name}]`))
        for (const id of e.getAttribute(name).split(/\s+/))
          if (!document.getElementById(id)) faults.push(`${name} points to ${id}, which is not there`);
    let last = 0;
    const headings = [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].filter(seen);
    for (const e of headings) {
      const level = Number(e.tagName[1]);
      if (level > last + 1) faults.push(`heading ${level} follows ${last}: ${e.textContent.trim().slice(0, 60)}`);
      last = level;
    }
    const firsts = headings.filter((e) => e.tagName === "H1").length;
    if (firsts !== 1) faults.push(`${firsts} headings of level 1`);
    for (const e of document.querySelectorAll("[tabindex]"))
      if (Number(e.getAttribute("tabindex")) > 0) faults.push(`${e.tagName} has a tabindex above 0`);
    return faults;
  },

  contrast: () => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
    const rgba = (text) => {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };
    const ground = (e) => {
      const layers = [];
      for (let at = e; at; at = at.parentElement) {
        const style = getComputedStyle(at);
        if (style.backgroundImage !== "none" || at.matches("canvas,img,video,svg *")) return null;
        const colour = rgba(style.backgroundColor);
        layers.push(colour);
        if (colour[3] === 1) break;
      }
      return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
    };
    const faults = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
      if (!text || e.closest("noscript,script,:disabled,.unseen,.skip")) continue;
      if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
      const under = ground(e), style = getComputedStyle(e);
      if (!under) continue;
      const inDrawing = e instanceof SVGElement;
      const found = ratio(over(rgba(inDrawing ? style.fill : style.color), under), under);
      const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (found < (large ? 3 : 4.5)) faults.add(`contrast ${found.toFixed(2)}: "${text.slice(0, 50)}"`);
    }
    return [...faults];
  },

  small: (least) => {
    const name = (e) => (e.getAttribute("aria-label") ?? e.textContent).trim().slice(0, 50);
    const measured = "button,select,summary,[role=tab],input,textarea,label.check";
    return [...document.querySelectorAll(measured)]
      .filter((e) => e.checkVisibility() && !e.closest(".unseen"))
      .filter((e) => !(e.closest("label") && e.tagName === "INPUT")) // the label is what is pressed
      .filter((e) => !["hidden", "file"].includes(e.type))
      .map((e) => [e, e.getBoundingClientRect()])
      .filter(([, box]) => box.width > 1)
      .filter(([e, box]) => box.height < least - 0.5 || (e.tagName === "BUTTON" && box.width < least - 0.5))
      .map(([e, box]) => `${Math.round(box.width)} x ${Math.round(box.height)} px: ${e.tagName} ${name(e)}`);
  },
})
