// Makes a large photograph smaller before it is sent. Enters: a file. Leaves: a smaller JPEG of the same picture,
// upright, without place, time or camera, or the file itself where nothing would be gained. It knows no element.
//
// The server halves a large JPEG until its short side is less than four times what the network sees, and resizes
// the rest. The same halvings are made here, so that its answer stays the same within what one more saving of the
// photograph changes anyway; other factors change it more (`python benchmarks/shrinking.py` has the numbers).

export const SHORT_SIDE_PX = 720;
/** Never less than this: twice the 360 px of the largest network for which this was thought out. */
export const QUALITY = 0.95;
export const UNTOUCHED_BYTES = 400_000;
/** Smaller files are sent as they are. */
const WORTH_IT = 0.8;
/** A result larger than this share of the file is thrown away. */
const JPEG = "image/jpeg";

let honest = null;

/**
 * A photograph as it is to be sent: {blob, name, shrunk, from, to}, sizes in bytes.
 * Options are for measurements: shortSidePx, quality, untouchedBytes.
 */
export async function shrink(file, options = {}) {
  const { shortSidePx = SHORT_SIDE_PX, quality = QUALITY, untouchedBytes = UNTOUCHED_BYTES } = options;
  const same = { blob: file, name: file.name, shrunk: false, from: file.size, to: file.size };
  if (file.size <= untouchedBytes || !canvasTellsTheTruth()) return same;
  let picture;
  try {
    picture = await uprightPicture(file);
  } catch {
    return same; // a format that this browser does not read: the server may
  }
  try {
    const halvings = countHalvings(Math.min(picture.width, picture.height), shortSidePx);
    if (halvings === 0) return same;
    const blob = await jpegOf(halved(picture, halvings), quality);
    if (blob?.type !== JPEG || blob.size > WORTH_IT * file.size) return same;
    return { blob, name: file.name, shrunk: true, from: file.size, to: blob.size };
  } catch {
    return same; // not enough memory for a canvas of that size
  } finally {
    picture.close();
  }
}

/** The pixels upright, with the numbers of the file: the server ignores colour profiles, too. */
export function uprightPicture(file, more = {}) {
  return createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none", ...more });
}

/** A canvas of `width` x `height` px that need not be on the page. */
export function newCanvas(width, height) {
  if (typeof OffscreenCanvas === "function") return new OffscreenCanvas(width, height);
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** How often the short side can be halved and still be `least` px long. */
export function countHalvings(shortPx, least) {
  let halvings = 0;
  while (shortPx / 2 ** (halvings + 1) >= least) halvings += 1;
  return halvings;
}

/** One half after the other: each pixel is then the mean of four, in every browser. */
function halved(picture, halvings) {
  let [from, width, height] = [picture, picture.width, picture.height];
  for (let done = 0; done < halvings; done += 1) {
    [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
    const canvas = newCanvas(width, height);
    const pen = canvas.getContext("2d", { alpha: false });
    pen.fillStyle = "#fff"; // under what is see-through, as on the server
    pen.fillRect(0, 0, width, height);
    pen.imageSmoothingQuality = "medium";
    pen.drawImage(from, 0, 0, width, height);
    from = canvas;
  }
  return from;
}

export function jpegOf(canvas, quality) {
  if (canvas.convertToBlob) return canvas.convertToBlob({ type: JPEG, quality });
  return new Promise((resolve) => canvas.toBlob(resolve, JPEG, quality));
}

/** Some browsers answer with noise when a page reads a canvas, so that it cannot recognise them. */
function canvasTellsTheTruth() {
  if (honest === null) honest = readsWhatWasDrawn();
  return honest;
}

function readsWhatWasDrawn() {
  const side = 16;
  const pen = newCanvas(side, side).getContext("2d", { alpha: false });
  if (!pen) return false;
  const drawn = new ImageData(side, side);
  drawn.data.forEach((_, at) => {
    drawn.data[at] = at % 4 === 3 ? 255 : (at * 37 + 11) % 256;
  });
  pen.putImageData(drawn, 0, 0);
  const read = pen.getImageData(0, 0, side, side).data;
  return read.every((value, at) => value === drawn.data[at]);
}
