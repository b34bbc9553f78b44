// The key of this server, as the person gave it. Enters: a key. Leaves: the key, for this tab of the browser, or
// for this device where the person said so. It is sent to this server only, and never stands in an address.

const NAME = "leafsight.key";
const memory = { key: null };

/** The key, or null. */
export function heldKey() {
  return read("sessionStorage") ?? read("localStorage") ?? memory.key;
}

/** Keep `key`: on this device for good, or until this tab is closed. */
export function holdKey(key, onDevice) {
  forgetKey();
  memory.key = key;
  write(onDevice ? "localStorage" : "sessionStorage", key);
}

/** Forget it everywhere. */
export function forgetKey() {
  memory.key = null;
  for (const store of ["sessionStorage", "localStorage"]) {
    try {
      window[store].removeItem(NAME);
    } catch {
      // Nothing was kept there either.
    }
  }
}

/** Whether a key outlives this tab. */
export function isOnDevice() {
  return read("localStorage") !== null;
}

function read(store) {
  try {
    return window[store].getItem(NAME);
  } catch {
    return null; // storage is forbidden: the key lives as long as the page
  }
}

function write(store, key) {
  try {
    window[store].setItem(NAME, key);
  } catch {
    // As above.
  }
}
