/** The player's place in the shared link: `?mse.step=37&mse.w=1.3`. */
import { debounced } from "./dom.js";

const WRITE_AFTER = 250; // ms; browsers refuse more than about 100 changes in 30 s
const FORGET_AFTER = 1000; // ms; a player that is only moved on its page comes back sooner
const leaving = new Map(); // prefix -> timer that removes its parameters

/**
 * Keeps parameters of one player in the query string, without asking the server.
 *
 * Streamlit reads the present query string when one of its bound widgets changes, so ours survive. When its server
 * corrects a parameter, it sends the query string that it knew, and ours are put back. A change of page drops them.
 */
export class Address {
  constructor(key) {
    this.prefix = `${key}.`;
    this.path = location.pathname;
    this.values = new Map();
    this.write = debounced(() => this.flush(), WRITE_AFTER);
    this.onNavigation = () => {
      if (this.here() && !this.write.pends() && !this.isRight()) this.write(); // what others write delays nothing
    };
    clearTimeout(leaving.get(this.prefix));
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (name.startsWith(this.prefix)) this.values.set(name.slice(this.prefix.length), value);
    }
    window.navigation?.addEventListener("currententrychange", this.onNavigation);
  }

  /** The number in the link under this name, undefined where there is none or it is no number. */
  number(name) {
    const value = this.values.get(name);
    const number = value?.trim() ? Number(value) : NaN;
    return Number.isFinite(number) ? number : undefined;
  }

  /** Notes a value for the link; undefined, for a value that is the default, leaves it out. */
  set(name, value) {
    if (value === undefined) this.values.delete(name);
    else this.values.set(name, String(value));
    this.write();
  }

  /** Drops what the link has for names that this chart does not have. */
  keepOnly(names) {
    for (const name of this.values.keys()) if (!names.includes(name)) this.set(name, undefined);
  }

  here() {
    return location.pathname === this.path;
  }

  /** Whether the link says of ours what it should, wherever in it: others put theirs at the end as well. */
  isRight() {
    const present = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith(this.prefix));
    const wanted = [...this.values].map(([name, value]) => [this.prefix + name, value]);
    return present.sort().join("&") === wanted.sort().join("&");
  }

  /** The query string as it should be: every other parameter untouched, ours at the end. */
  query() {
    const others = location.search.slice(1).split("&").filter((part) => part && !part.startsWith(this.prefix));
    const ours = [...this.values].map(([name, value]) => `${this.prefix}${name}=${encodeURIComponent(value)}`);
    return [...others, ...ours].join("&");
  }

  flush() {
    this.write.cancel();
    if (!this.here() || this.isRight()) return;
    const query = this.query();
    history.replaceState(history.state, "", location.pathname + (query && `?${query}`) + location.hash);
  }

  /** Leaves: what is pending is written, and removed a little later unless the player comes back. */
  close() {
    window.navigation?.removeEventListener("currententrychange", this.onNavigation);
    this.flush();
    const remove = () => {
      leaving.delete(this.prefix);
      this.values.clear();
      this.flush();
    };
    leaving.set(this.prefix, setTimeout(remove, FORGET_AFTER));
  }
}
