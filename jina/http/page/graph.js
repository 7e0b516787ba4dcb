// The Flow as a drawing: columns from left to right, by the longest way from the request.
import { plural, svg } from "./dom.js";

const WIDTH = 150; // of a box
const HEIGHT = 62;
const GAP = 60; // between columns
const LINE = 88; // from row to row

export function graph(nodes) {
  const waited = nodes.filter((node) => !node.is_floating);
  const needed = new Set(waited.flatMap((node) => node.needs));
  const ends = waited.map((node) => node.name).filter((name) => !needed.has(name));
  const request = { name: "gateway", needs: [], end: "request" };
  const answer = { name: "", needs: ends.length ? ends : ["gateway"], end: "answer" };
  const all = [request, ...nodes, answer];
  const { edges, columns } = laidOut(all);
  const [place, size] = placed(columns);
  const drawing = svg("svg", {
    width: size[0],
    height: size[1],
    viewBox: `-2 0 ${size.join(" ")}`,
    role: "group",
    "aria-label": nodes.map((node) => `${node.name} after ${node.needs.join(" and ")}`).join("; "),
  });
  for (const edge of edges) drawing.append(line(edge, place));
  for (const node of all) drawing.append(box(node, ...place[node.name]));
  return drawing;
}

function laidOut(all) {
  const depth = {};
  for (const _ of all) {
    for (const node of all) depth[node.name] = 1 + Math.max(-1, ...node.needs.map((name) => depth[name] ?? 0));
  }
  // An edge that passes other columns has a place of its own in each.
  const slots = [...all];
  const way = (node, name) => {
    const names = [name];
    for (let at = depth[name] + 1; at < depth[node.name]; at++) {
      const slot = { name: `${name} ${node.name} ${at}`, needs: [names.at(-1)], isBend: true };
      depth[slot.name] = at;
      slots.push(slot);
      names.push(slot.name);
    }
    return { names: [...names, node.name], isFloating: node.is_floating };
  };
  const edges = all.flatMap((node) => node.needs.map((name) => way(node, name)));
  return { edges, columns: Object.values(Object.groupBy(slots, (slot) => depth[slot.name])) };
}

function placed(columns) {
  const rows = Math.max(...columns.map((column) => column.length));
  const place = {};
  const height = (slot) => slot.needs.reduce((sum, name) => sum + place[name][1], 0) / slot.needs.length || 0;
  columns.forEach((column, at) => {
    column.sort((one, other) => height(one) - height(other));
    column.forEach((slot, row) => {
      place[slot.name] = [at * (WIDTH + GAP), (row + (rows - column.length) / 2 + 0.5) * LINE, slot.isBend];
    });
  });
  return [place, [columns.length * (WIDTH + GAP) - GAP + 10, rows * LINE]];
}

function line({ names, isFloating }, place) {
  const parts = names.map((name, at) => {
    const [x, y, isBend] = place[name];
    if (!at) return `M${x + WIDTH} ${y}`;
    const before = place[names[at - 1]][1];
    return `C${x - GAP / 2} ${before} ${x - GAP / 2} ${y} ${x} ${y}${isBend ? `h${WIDTH}` : ""}`;
  });
  return svg("path", { class: isFloating ? "edge floating" : "edge", d: parts.join("") });
}

function box(node, x, y) {
  const text = (words, at, name = "") =>
    svg("text", { x: x + WIDTH / 2, y: y + at, class: name }, words.length > 20 ? `${words.slice(0, 19)}…` : words);
  const rect = (shift, round = 8) =>
    svg("rect", { x: x + shift, y: y - HEIGHT / 2 - shift, width: WIDTH, height: HEIGHT, rx: round });
  if (node.end) return svg("g", {}, rect(0, HEIGHT / 2), text(node.end, 5));
  const notes = [
    node.replicas > 1 && plural(node.replicas, "replica"),
    node.shards > 1 && plural(node.shards, "shard"),
    node.is_floating && "floating",
  ];
  const note = notes.filter(Boolean).join(", ");
  const pile = node.replicas * node.shards > 1 ? [rect(6), rect(3)] : [];
  const texts = [text(node.name, note ? -9 : -3), text(node.executor, note ? 8 : 15, "small"), text(note, 24, "small")];
  const name = node.is_floating ? "floating" : "";
  return svg("a", { href: `#node-${node.name}`, class: name, "data-node": node.name }, ...pile, rect(0), ...texts);
}
