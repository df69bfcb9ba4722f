"use strict";
// The timeline of each finding: files as lanes, operations as marks, barriers as walls, the crash as a line.
// Data comes from the page itself; every text goes through textContent.

const Timelines = new Map();

const svgElement = (name, attributes, parent) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key of Object.keys(attributes)) element.setAttribute(key, attributes[key]);
  if (parent) parent.appendChild(element);
  return element;
};

const htmlElement = (name, className, text, parent) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  if (parent) parent.appendChild(element);
  return element;
};

class Timeline {
  static laneHeight = 42;
  static top = 22;
  static fewest = 6;

  constructor(data, place) {
    this.data = data;
    this.state = data.states[0];
    this.from = Math.max(0, data.marks.length - 40);
    this.selected = this.firstLoss();
    this.build(place);
    this.show();
  }

  // What a reader wants to see first: the first lost operation, or else the broken promise, or else the last mark.
  firstLoss() {
    for (const fates of [["lost", "torn"], ["promised", "kept"]]) {
      const index = this.data.marks.findIndex((mark) => fates.includes(this.fate(mark)));
      if (index >= 0) return index;
    }
    return this.data.marks.length - 1;
  }

  fate(mark) {
    if (mark.fate === "promised" && this.state.passes) return "kept";
    const own = mark.operation === undefined ? undefined : this.state.fates[mark.operation];
    return own && mark.kind !== "fault" ? own : mark.fate;
  }

  build(place) {
    const controls = htmlElement("div", "controls", undefined, place);
    controls.setAttribute("role", "group");
    controls.setAttribute("aria-label", "Zoom");
    const count = this.data.marks.length;
    const zooms = [["Whole run", count], ["Last 100", 100], ["Last 40", 40], ["Last 12", 12]];
    this.zoomButtons = zooms.filter(([, most], index) => index === 0 || most < count).map(([title, most]) => {
      const button = htmlElement("button", "", title, controls);
      button.type = "button";
      button.dataset.most = most;
      button.addEventListener("click", () => this.zoom(most));
      return button;
    });
    for (const [title, label, step] of [["‹", "previous event", -1], ["›", "next event", 1]]) {
      const button = htmlElement("button", "", title, controls);
      button.type = "button";
      button.setAttribute("aria-label", label);
      button.addEventListener("click", () => this.select(this.selected + step));
    }
    this.plot = htmlElement("div", "plot", undefined, place);
    this.plot.tabIndex = 0;
    this.plot.setAttribute("role", "slider");
    this.plot.setAttribute("aria-label", "Events of the run; arrow keys move, plus and minus zoom");
    this.plot.setAttribute("aria-valuemin", 1);
    this.plot.setAttribute("aria-valuemax", Math.max(1, count));
    this.svg = svgElement("svg", { class: "lanes", "aria-hidden": "true" }, this.plot);
    this.details = htmlElement("div", "details", undefined, place);
    this.details.setAttribute("aria-live", "polite");
    this.addLegend(place);
    this.plot.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("click", (event) => this.select(this.markAt(event)));
    this.svg.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") this.tell(this.markAt(event));
    });
    this.svg.addEventListener("pointerleave", () => this.tell(this.selected));
    new ResizeObserver(() => { if (this.plot.clientWidth !== this.width) this.draw(); }).observe(this.plot);
  }

  zoom(most) {
    this.from = Math.max(0, this.data.marks.length - most);
    this.show();
  }

  key(event) {
    const last = this.data.marks.length - 1;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: 1, ArrowDown: -1, PageUp: -10, PageDown: 10 };
    if (event.key in moves) this.select(this.selected + moves[event.key]);
    else if (event.key === "Home") this.select(0);
    else if (event.key === "End") this.select(last);
    else if (event.key === "+") this.zoom(Math.max(Timeline.fewest, Math.round((last + 1 - this.from) / 2)));
    else if (event.key === "-") this.zoom((last + 1 - this.from) * 2);
    else return;
    event.preventDefault();
  }

  select(index) {
    this.selected = Math.min(Math.max(index, 0), this.data.marks.length - 1);
    if (this.selected < this.from) this.from = this.selected;
    this.show();
  }

  choose(state) {
    this.state = state;
    this.selected = this.firstLoss();
    this.show();
  }

  // MARK: Drawing

  show() {
    this.draw();
    this.tell(this.selected);
    const shown = this.data.marks.length - this.from;
    for (const button of this.zoomButtons) {
      button.setAttribute("aria-pressed", String(Math.min(Number(button.dataset.most), this.data.marks.length) === shown));
    }
  }

  draw() {
    const { lanes, marks } = this.data;
    this.width = this.plot.clientWidth || 700;
    const height = Timeline.top + lanes.length * Timeline.laneHeight + 8;
    this.svg.replaceChildren();
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.svg.setAttribute("height", height);
    this.step = (this.width - 24) / Math.max(1, marks.length - this.from);
    this.drawLanes();
    const chosen = marks[this.selected];
    if (chosen && this.selected >= this.from) {
      const width = Math.min(Math.max(this.step, 4), 36);
      svgElement("rect", { class: "cursor", x: this.x(this.selected) - width / 2, y: 0, width, height }, this.svg);
    }
    this.drawWalls(chosen);
    marks.forEach((mark, index) => { if (index >= this.from) this.drawMark(mark, index); });
    this.drawCrash(height);
  }

  x(index) { return 8 + (index - this.from + 0.5) * this.step; }
  y(lane) { return Timeline.top + lane * Timeline.laneHeight + 28; }

  drawLanes() {
    this.data.lanes.forEach((lane, index) => {
      const y = this.y(index);
      svgElement("line", { class: "lane", x1: 0, x2: this.width, y1: y, y2: y }, this.svg);
      const name = svgElement("text", { class: `name ${lane.kind}`, x: 6, y: y - 16 }, this.svg);
      const room = Math.max(10, Math.floor(this.width / 7));
      name.textContent = lane.name.length > room ? `…${lane.name.slice(1 - room)}` : lane.name;
    });
  }

  // A wall stands where a barrier returned, through the lanes of which it made something durable.
  drawWalls(chosen) {
    this.data.walls.forEach((wall, index) => {
      if (wall.at <= this.from) return;
      const { marks } = this.data;
      const x = 8 + (wall.at - this.from) * this.step;
      const own = marks[wall.mark].lane;
      const reached = wall.covers.map((covered) => marks[covered].lane).concat(own);
      const isChosen = chosen && (marks[wall.mark] === chosen || chosen.wall === index);
      const line = { x1: x, x2: x, y1: this.y(Math.min(...reached)) - 12, y2: this.y(Math.max(...reached)) + 12 };
      svgElement("line", { class: isChosen ? "wall" : "wall dim", ...line }, this.svg);
      const first = new Map();
      for (const covered of wall.covers) {
        const { lane } = marks[covered];
        first.set(lane, Math.min(first.get(lane) ?? covered, covered));
      }
      for (const [lane, covered] of first) {
        const start = covered < this.from ? 0 : this.x(covered);
        const band = { x: start, y: this.y(lane) - 4, width: Math.max(0, x - start), height: 8 };
        svgElement("rect", { class: isChosen ? "covered" : "covered dim", ...band }, this.svg);
      }
    });
  }

  drawMark(mark, index) {
    const fate = this.fate(mark);
    const x = this.x(index);
    const y = this.y(mark.lane);
    const isLost = fate === "lost" || fate === "torn";
    if (isLost) {
      svgElement("line", { class: "exposed", x1: x, x2: this.width - 14, y1: y, y2: y }, this.svg);
    }
    const group = svgElement("g", { class: "event", "data-index": index }, this.svg);
    const size = Math.max(1.5, Math.min(8, this.step / 2 - 0.5));
    Timeline.shape(group, mark.kind, fate, x, y, isLost ? Math.max(size, 6) : fate === "promised" || fate === "kept" ? Math.max(size, 7) : size);
    const calls = { lost: "LOST", torn: "TORN", promised: "BROKEN PROMISE" };
    if (calls[fate]) {
      const isLate = x > this.width / 2;
      const name = 12 + 7 * this.data.lanes[mark.lane].name.length;
      const call = svgElement("text", { class: "call", x: isLate ? x - 9 : Math.max(x + 9, name), y: y - 12 }, group);
      call.setAttribute("text-anchor", isLate ? "end" : "start");
      call.textContent = calls[fate];
    }
  }

  // The shape says what it was, the fill and the cross what became of it.
  static shape(parent, kind, fate, x, y, size) {
    const className = `mark ${kind} ${fate}`;
    const points = (list) => ({ class: className, points: list.map((pair) => pair.join(",")).join(" ") });
    if (kind === "sync") {
      svgElement("rect", { class: className, x: x - size / 3, y: y - 11, width: (size / 3) * 2, height: 22 }, parent);
    } else if (kind === "name") {
      svgElement("polygon", points([[x, y - size - 1], [x + size + 1, y], [x, y + size + 1], [x - size - 1, y]]), parent);
    } else if (kind === "size" || kind === "attribute") {
      svgElement("polygon", points([[x, y - size], [x + size, y + size], [x - size, y + size]]), parent);
    } else if (kind === "oracle") {
      svgElement("circle", { class: className, cx: x, cy: y, r: size }, parent);
    } else if (kind === "fault") {
      svgElement("polygon", points([[x - size, y - size], [x + size, y - size], [x, y + size]]), parent);
    } else {
      svgElement("rect", { class: className, x: x - size, y: y - size, width: size * 2, height: size * 2, rx: 1.5 }, parent);
    }
    if (fate === "lost" || fate === "refused") {
      const arm = size * 0.6;
      svgElement("path", { class: "cross inner", d: `M${x - arm} ${y - arm}L${x + arm} ${y + arm}M${x + arm} ${y - arm}L${x - arm} ${y + arm}` }, parent);
    } else if (fate === "torn") {
      svgElement("path", { class: "cross inner", d: `M${x} ${y - size}L${x - size / 3} ${y - 1}L${x + size / 3} ${y + 1}L${x} ${y + size}` }, parent);
    }
  }

  drawCrash(height) {
    const x = this.width - 14;
    svgElement("line", { class: "crash", x1: x, x2: x, y1: 18, y2: height }, this.svg);
    const label = svgElement("text", { class: "crash-label", x: this.width - 6, y: 14, "text-anchor": "end" }, this.svg);
    label.textContent = this.data.ending;
  }

  // MARK: Details

  markAt(event) {
    const box = this.svg.getBoundingClientRect();
    const x = event.clientX - box.left;
    const lane = Math.floor((event.clientY - box.top - Timeline.top) / Timeline.laneHeight);
    let best = this.selected;
    let least = Infinity;
    this.data.marks.forEach((mark, index) => {
      if (index < this.from) return;
      const distance = Math.abs(this.x(index) - x) + (mark.lane === lane ? 0 : 40);
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  }

  words(mark, index) {
    const fates = {
      durable: "durable", survived: "survived, though no sync had made it durable",
      lost: "LOST: no sync had made it durable",
      torn: this.data.isKill ? "TORN: the process was killed in the middle of it" : "TORN: no sync had made it durable",
      synced: "returned", failed: mark.kind === "sync" ? "FAILED" : "not durable: its sync failed", unfinished: "had not returned",
      asked: "requested", acknowledged: "acknowledged", promised: "the PROMISE that this crash breaks",
      kept: "the promise that the failing state breaks; this one keeps it",
      refused: "refused", injected: "", other: "",
    };
    const parts = [`Event ${mark.event}: ${mark.text}`];
    if (mark.bytes !== undefined) parts.push(`offset ${mark.offset}, length ${mark.bytes}`);
    if (mark.size !== undefined) parts.push(`size ${mark.size}`);
    if (mark.process) parts.push(`process ${mark.process}`);
    const fate = this.fate(mark);
    if (mark.kind !== "oracle" || fate === "promised" || fate === "kept") parts.push(fates[fate]);
    if (mark.operation !== undefined && this.state.notes[mark.operation]) parts.push(this.state.notes[mark.operation]);
    const { walls, marks } = this.data;
    if (mark.wall !== undefined && fate === "durable") {
      const sync = marks[walls[mark.wall].mark];
      const together = sync.lane === mark.lane ? "" : ", with which the filesystem commits earlier changes of other files";
      parts.push(`made durable by ${sync.text}, event ${sync.event}${together}`);
    }
    const own = walls.find((wall) => wall.mark === index);
    if (own) {
      const files = new Map();
      for (const covered of own.covers) {
        const lane = this.data.lanes[marks[covered].lane].name;
        files.set(lane, (files.get(lane) || 0) + 1);
      }
      const told = [...files].map(([name, count]) => `${count} of ${name}`).join(", ");
      parts.push(told ? `made durable: ${told}` : "made nothing durable that was not so already");
    }
    return parts.filter((part) => part).join("; ");
  }

  tell(index) {
    const mark = this.data.marks[index];
    const text = mark ? this.words(mark, index) : "No event before the crash.";
    const skipped = this.data.skippedEvents ? ` (The first ${this.data.skippedEvents} events are not shown.)` : "";
    this.details.textContent = text + skipped;
    this.plot.setAttribute("aria-valuenow", index + 1);
    this.plot.setAttribute("aria-valuetext", text);
  }

  addLegend(place) {
    const used = new Set(this.data.marks.map((mark) => mark.kind));
    const entries = [
      ["data", "data", "durable", "data written, durable"], ["name", "name", "durable", "name made, moved or removed"],
      ["size", "size", "durable", "size"], ["attribute", "attribute", "durable", "mode, owner or attribute"],
      ["sync", "sync", "synced", "sync; its wall crosses all that it made durable, a bar is what waited for it"],
      ["oracle", "oracle", "asked", "requested"], ["oracle", "oracle", "acknowledged", "acknowledged"],
      ["", "data", "survived", "unsynced, survived"], ["", "data", "lost", "lost"], ["", "data", "torn", "torn"],
      ["oracle", "oracle", "promised", "broken promise"], ["fault", "fault", "injected", "injected fault"],
    ];
    const list = htmlElement("ul", "legend", undefined, place);
    for (const [needs, kind, fate, words] of entries) {
      if (needs && !used.has(needs)) continue;
      const item = htmlElement("li", "", undefined, list);
      const picture = svgElement("svg", { viewBox: "0 0 24 24", class: "lanes", "aria-hidden": "true" }, item);
      Timeline.shape(picture, kind, fate, 12, 12, 8);
      item.appendChild(document.createTextNode(` ${words}`));
    }
  }
}

for (const data of JSON.parse(document.getElementById("timelines").textContent)) {
  const place = [...document.querySelectorAll("[data-timeline]")].find((one) => one.dataset.timeline === data.id);
  if (place && data.marks.length > 0) Timelines.set(data.id, new Timeline(data, place));
}
