// The camera of this computer, in a window with a shutter. Enters: what the camera sees. Leaves: `add(found)` with one
// JPEG for each press. The camera is switched off when the window closes.

import { dialog, h, notice, replace } from "./elements.js";
import { jpegOf, newCanvas } from "./diagnose-shrink.js";
import { count } from "./words.js";

const WANTED = { video: { facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1440 } }, audio: false };
const QUALITY = 0.95;
let taken = 0;

/** Open the window. */
export async function openCamera(add) {
  const video = h("video", { class: "camera-view", muted: true, playsinline: true, autoplay: true, "aria-label": "What the camera sees" });
  const said = h("p", { role: "status", class: "small quiet" }, "Asking for the camera");
  const shutter = h("button", { type: "button", class: "primary", disabled: true }, "Take the photograph");
  const shownIn = dialog("Camera", video, said, h("div", { class: "row" }, shutter,
    h("button", { type: "button", onclick: () => shownIn.close() }, "Done")));
  shownIn.element.classList.add("camera");
  let stream = null;
  let shots = 0;
  let open = true;
  shownIn.element.addEventListener("close", () => {
    open = false;
    for (const track of stream?.getTracks() ?? []) track.stop();
  });
  shutter.addEventListener("click", async () => {
    const file = await photographOf(video);
    shots += 1;
    add([{ file, label: file.name }]);
    replace(said, `${count(shots, "photograph")} taken.`);
  });
  shownIn.open();
  try {
    stream = await navigator.mediaDevices.getUserMedia(WANTED);
    if (!open) return stream.getTracks().forEach((track) => track.stop());
    video.srcObject = stream;
    await video.play();
    replace(said, "Hold still; one leaf, close, in even light.");
    shutter.disabled = false;
    shutter.focus();
  } catch (error) {
    replace(said, notice("warn", "The camera cannot be used.", reasonOf(error)));
  }
}

async function photographOf(video) {
  const canvas = newCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d", { alpha: false }).drawImage(video, 0, 0);
  taken += 1;
  return new File([await jpegOf(canvas, QUALITY)], `camera-${taken}.jpg`, { type: "image/jpeg" });
}

function reasonOf(error) {
  if (error.name === "NotAllowedError") return "Allow it in the browser, beside the address of this page, and try again.";
  if (error.name === "NotReadableError") return "Another program may be using it.";
  return "Choose a photograph instead.";
}
