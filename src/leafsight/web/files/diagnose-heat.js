// The heatmap of an answer, coloured. Enters: the grey layer of the API, one value for each cell of a small grid that
// covers the whole upright photograph. Leaves: a canvas to lay over it. It does not know what was diagnosed.

import { newCanvas } from "./diagnose-shrink.js";

/** As in leafsight.images.heatmap: "inferno" without its blackest part (S. van der Walt and N. Smith, CC0). */
const ANCHORS = [
  [22, 11, 57], [54, 9, 97], [87, 16, 110], [117, 27, 110], [147, 38, 103], [177, 50, 90], [204, 66, 72],
  [228, 90, 49], [243, 120, 25], [251, 153, 6], [251, 190, 35], [243, 227, 90], [252, 255, 164],
];
const LONGEST_SIDE_PX = 384;
/** Of the canvas; the browser stretches it over the photograph. */
const SUPPORT = 2;

/** The layer as numbers: {values, width, height}, 0 cold to 1 hot. `picture` is `heatmap` of an answer. */
export async function readLayer(picture) {
  const bytes = Uint8Array.from(atob(picture.base64), (sign) => sign.charCodeAt(0));
  const blob = new Blob([bytes], { type: picture.media_type });
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const { width, height } = bitmap;
  const pen = newCanvas(width, height).getContext("2d", { willReadFrequently: true });
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  const levels = pen.getImageData(0, 0, width, height).data;
  return { values: Float32Array.from({ length: width * height }, (_, at) => levels[4 * at] / 255), width, height };
}

/** The layer at another size, by the bicubic filter with which the server enlarges it; values are held in 0..1. */
export function enlarge({ values, width, height }, wide, high) {
  const across = weightsOf(width, wide);
  const down = weightsOf(height, high);
  const rows = new Float32Array(wide * height);
  for (let y = 0; y < height; y += 1) {
    across.forEach(({ first, weights }, x) => {
      rows[y * wide + x] = weights.reduce((sum, weight, k) => sum + weight * values[y * width + first + k], 0);
    });
  }
  const result = new Float32Array(wide * high);
  down.forEach(({ first, weights }, y) => {
    for (let x = 0; x < wide; x += 1) {
      const sum = weights.reduce((held, weight, k) => held + weight * rows[(first + k) * wide + x], 0);
      result[y * wide + x] = Math.min(1, Math.max(0, sum));
    }
  });
  return { values: result, width: wide, height: high };
}

/** The size of the canvas for a photograph of `width` x `height` px. */
export function fieldSize(width, height) {
  const scale = LONGEST_SIDE_PX / Math.max(width, height, 1);
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** Colour `canvas` by warmth: the hotter, the brighter the colour and the more of it; strength 0..1. */
export function paint(canvas, warmth, strength) {
  const picture = new ImageData(warmth.width, warmth.height);
  warmth.values.forEach((warm, at) => {
    const place = warm * (ANCHORS.length - 1);
    const lower = Math.min(Math.floor(place), ANCHORS.length - 2);
    const share = place - lower;
    for (let channel = 0; channel < 3; channel += 1) {
      picture.data[4 * at + channel] = ANCHORS[lower][channel] * (1 - share) + ANCHORS[lower + 1][channel] * share;
    }
    picture.data[4 * at + 3] = 255 * warm * strength;
  });
  canvas.width = warmth.width;
  canvas.height = warmth.height;
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

/** Where it is hottest, in words; null when it is cold everywhere. */
export function hottestPlace({ values, width, height }) {
  const hottest = values.reduce((best, value, at) => (value > values[best] ? at : best), 0);
  if (!(values[hottest] > 0)) return null;
  if (values.filter((value) => value > values[hottest] / 2).length > values.length / 2) return "all over the picture";
  const third = (at, size, names) => names[Math.min(2, Math.floor((3 * (at + 0.5)) / size))];
  const up = third(Math.floor(hottest / width), height, ["upper", "middle", "lower"]);
  const side = third(hottest % width, width, ["left", "middle", "right"]);
  if (up === "middle") return side === "middle" ? "in the middle" : `at the ${side}`;
  return side === "middle" ? `in the ${up} middle` : `at the ${up} ${side}`;
}

/** For each of `wanted` places the first of `size` cells and the weights from there (Pillow's geometry). */
function weightsOf(size, wanted) {
  const scale = size / wanted;
  const reach = SUPPORT * Math.max(scale, 1);
  return Array.from({ length: wanted }, (_, at) => {
    const centre = (at + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach + 0.5));
    const last = Math.min(size, Math.floor(centre + reach + 0.5));
    const raw = Array.from({ length: last - first }, (_, k) => bicubic((first + k - centre + 0.5) / Math.max(scale, 1)));
    const sum = raw.reduce((held, weight) => held + weight, 0);
    return { first, weights: raw.map((weight) => weight / sum) };
  });
}

/** Keys' cubic convolution with a = -0.5 (R. Keys, IEEE Transactions on Acoustics 29, 1981). */
function bicubic(x) {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}
