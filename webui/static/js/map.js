// The map: boundaries from this server, the track, and the marker that moves with the picture. Hoàng Sa and Trường Sa are drawn
// and labelled on the map and on the small one in its corner, which is always in sight.
const HOANG_SA = [16.5, 112.0];
const TRUONG_SA = [9.9, 114.3];
const ISLANDS = [
  [16.83, 112.34], [16.46, 111.6], [16.53, 111.61], [16.67, 112.73], [16.06, 111.78], [15.78, 111.2],
  [8.65, 111.92], [11.43, 114.33], [9.88, 114.33], [10.18, 114.36], [8.85, 112.25], [10.38, 114.48], [7.97, 113.9], [9.9, 115.53],
];

export async function drawMap(box, trackUrl, doubtful, seek) {
  box.replaceChildren();
  const map = L.map(box, { attributionControl: false, zoomControl: false, minZoom: 4, maxZoom: 19, zoomSnap: 0.5 });
  L.control.zoom({ zoomInTitle: box.dataset.zoomIn, zoomOutTitle: box.dataset.zoomOut }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  const home = box.dataset.lat ? [Number(box.dataset.lat), Number(box.dataset.lon)] : [16, 107];
  map.setView(home, 15);

  const [provinces, track] = await Promise.all([json(box.dataset.provinces), trackUrl ? json(trackUrl) : null]);
  if (provinces) L.geoJSON(provinces, { interactive: false, style: { color: "#b8c4b8", weight: 1.5, fillColor: "#eef3ea", fillOpacity: 1 } }).addTo(map);
  grid(map);
  for (const place of ISLANDS) L.circleMarker(place, { radius: 3, color: "#0b3d6b", weight: 1, fillColor: "#eef3ea", fillOpacity: 1, interactive: false }).addTo(map);
  name(map, HOANG_SA, box.dataset.hoangSa, "sea");
  name(map, TRUONG_SA, box.dataset.truongSa, "sea");
  provinceNames(map, box.dataset.names);
  inset(provinces, home, box.dataset);

  const points = (track?.points ?? []).filter((point) => Number.isFinite(point[1]) && Number.isFinite(point[2]));
  const marker = L.circleMarker(home, { radius: 9, color: "#0b3d6b", weight: 5, fillColor: "#fff", fillOpacity: 1, interactive: false }).addTo(map);
  if (points.length > 1) {
    line(map, points, doubtful, seek);
    const span = L.latLngBounds(points.map((point) => [point[1], point[2]]));
    map.fitBounds(span, { padding: [36, 36], maxZoom: 17 });
  }
  marker.bringToFront();
  return { moveTo: (seconds) => move(map, marker, points, seconds) };
}

async function json(address) {
  if (!address) return null;
  const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

function name(layer, place, text, kind) {
  const words = document.createElement("span");
  words.textContent = text;
  L.marker(place, { interactive: false, keyboard: false, icon: L.divIcon({ className: `name-on-map ${kind}`, html: words, iconSize: null }) }).addTo(layer);
}

// Provinces are named while several fit into the view; nearer or farther their names would say nothing or cover each other.
function provinceNames(map, address) {
  let layer = null;
  const show = async () => {
    const fits = map.getZoom() >= 6.5 && map.getZoom() <= 12;
    if (fits && !layer) {
      layer = L.layerGroup();
      const lang = document.documentElement.lang;
      for (const place of (await json(address)) ?? []) if (place.kind === "province") name(layer, [place.lat, place.lon], place[lang], "province");
    }
    if (layer) fits ? layer.addTo(map) : layer.remove();
  };
  map.on("zoomend", show);
  show();
}

// Stretches the checks doubt are drawn dashed and amber; the rest is one blue line. Pressing the line seeks.
function line(map, points, doubtful, seek) {
  const isDoubtful = (from, to) => doubtful.some(([start, end]) => from[0] < end + 0.5 && to[0] > start - 0.5);
  let run = [points[0]];
  const flush = (doubt) => {
    if (run.length < 2) return;
    const style = doubt ? { color: "#8a5a00", weight: 4, dashArray: "6 7" } : { color: "#155fa0", weight: 5, lineCap: "round" };
    const own = run;
    L.polyline(own.map((point) => [point[1], point[2]]), style).addTo(map).on("click", (event) => seek(nearest(own, event.latlng)));
  };
  let doubt = false;
  for (let i = 1; i < points.length; i++) {
    const now = isDoubtful(points[i - 1], points[i]);
    if (now !== doubt) {
      flush(doubt);
      run = [points[i - 1]];
      doubt = now;
    }
    run.push(points[i]);
  }
  flush(doubt);
}

function nearest(points, spot) {
  const far = (point) => (point[1] - spot.lat) ** 2 + ((point[2] - spot.lng) * Math.cos((spot.lat * Math.PI) / 180)) ** 2;
  return points.reduce((best, point) => (far(point) < far(best) ? point : best))[0];
}

function move(map, marker, points, seconds) {
  if (!points.length) return null;
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle][0] <= seconds) low = middle;
    else high = middle - 1;
  }
  const a = points[low];
  const b = points[low + 1];
  const gap = b ? b[0] - a[0] : 0;
  const part = gap > 0 && gap <= 5 ? Math.max(0, Math.min(1, (seconds - a[0]) / gap)) : 0; // never glide over a hole
  const mix = (i) => (part ? a[i] + (b[i] - a[i]) * part : a[i]);
  const spot = { lat: mix(1), lon: mix(2), speed: a[3], x: mix(4), y: mix(5) };
  marker.setLatLng([spot.lat, spot.lon]);
  if (!map.getBounds().pad(-0.08).contains([spot.lat, spot.lon])) map.panTo([spot.lat, spot.lon]);
  return spot;
}

// A quiet grid gives the eye distances where there is no street map.
function grid(map) {
  const layer = L.layerGroup().addTo(map);
  const steps = [10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005];
  const draw = () => {
    layer.clearLayers();
    const view = map.getBounds();
    const wide = view.getEast() - view.getWest();
    const step = steps.find((size) => wide / size >= 4) ?? 0.0005;
    const style = { color: "#9fb0a2", weight: 0.6, opacity: 0.6, interactive: false };
    for (let x = Math.ceil(view.getWest() / step) * step; x < view.getEast(); x += step) L.polyline([[view.getSouth(), x], [view.getNorth(), x]], style).addTo(layer);
    for (let y = Math.ceil(view.getSouth() / step) * step; y < view.getNorth(); y += step) L.polyline([[y, view.getWest()], [y, view.getEast()]], style).addTo(layer);
  };
  map.on("moveend", draw);
  draw();
}

// The whole country beside the map, both archipelagos named, a dot where we are.
function inset(provinces, home, words) {
  const [width, height, west, north, scale] = [150, 172, 101.6, 23.8, 9];
  const at = (lat, lon) => [((lon - west) * scale).toFixed(1), ((north - lat) * scale).toFixed(1)];
  const rings = [];
  for (const feature of provinces?.features ?? []) {
    const shapes = feature.geometry.type === "Polygon" ? [feature.geometry.coordinates] : feature.geometry.coordinates;
    for (const shape of shapes) if (shape[0].length > 8) rings.push(`M${shape[0].map(([lon, lat]) => at(lat, lon).join(" ")).join("L")}Z`);
  }
  const svg = draw(document.getElementById("inset"), "svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${words.hoangSa}, ${words.truongSa}` });
  draw(svg, "path", { d: rings.join(""), fill: "#eef3ea", stroke: "#9fb0a2", "stroke-width": 0.5 });
  for (const place of ISLANDS) draw(svg, "circle", { cx: at(...place)[0], cy: at(...place)[1], r: 1.2, fill: "#0b3d6b" });
  label(svg, at(...HOANG_SA), words.hoangSa, 16);
  label(svg, at(7.1, 113.6), words.truongSa, 0);
  draw(svg, "circle", { cx: at(...home)[0], cy: at(...home)[1], r: 4, fill: "#a3182b", stroke: "#fff", "stroke-width": 1.5 });
}

function label(svg, [x, y], words, down) {
  const [first, second] = words.split(" (");
  for (const [n, text] of [first.replace("Quần đảo", "QĐ").replace(" Archipelago", ""), `(${second}`].entries())
    draw(svg, "text", { x, y: Number(y) + down + 9 * n, "text-anchor": "middle" }).textContent = text;
}

function draw(parent, tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}
