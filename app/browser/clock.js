/** The clock that pictures of one page share: where the playhead of one moves, those of the others follow. */

const hands = new Set();

/** What one picture has of it. */
export class Clock {
  /**
   * @param {HTMLElement} root the player's element
   * @param {(step: number) => void} follow moves the playhead of this picture
   * @param {() => void} refer is called where another picture may be the page's first one now
   */
  constructor(root, follow, refer) {
    Object.assign(this, { root, follow, refer, moments: [], isPlaced: false });
    hands.add(this);
  }

  /** Takes the moment of each step; none for a picture whose time is its own. */
  take(moments) {
    this.moments = moments;
  }

  /** Tells the others that the playhead is at a step now. */
  tell(step, chosen = () => true) {
    Object.assign(this, { step, isPlaced: true });
    if (!this.moments.length) return;
    const others = [...hands].filter((other) => other !== this && other.moments.length && chosen(other));
    for (const other of others) Object.assign(other, { step: other.nearest(this.moments[step]), isPlaced: true });
    for (const other of others) other.follow(other.step); // all know by now where the first picture is
  }

  /** Joins the pictures that came before; one with a place in the link takes along those that have none. */
  arrive(hasPlace) {
    if (hasPlace) this.tell(this.step, (other) => !other.isPlaced);
    for (const other of hands) if (other !== this && other.moments.length) other.refer();
  }

  /** The step that the page's first picture asks for; undefined where this is the first, or alone. */
  asked() {
    return this.first() === this ? undefined : this.joined();
  }

  /** The step of the other pictures, for one that joins them; undefined where there are none. */
  joined() {
    const other = this.first((hand) => hand !== this);
    return this.moments.length && other ? this.beside(other) : undefined;
  }

  /** The step beside that of another picture; the last beside the last, for one may not have got the newest epoch yet. */
  beside(other) {
    const isLast = other.step >= other.moments.length - 1;
    return isLast ? this.moments.length - 1 : this.nearest(other.moments[other.step]);
  }

  first(chosen = () => true) {
    return [...hands].filter((hand) => hand.moments.length && chosen(hand)).sort(inOrder)[0];
  }

  nearest(moment) {
    const distances = this.moments.map((own) => Math.abs(own - moment));
    return distances.indexOf(Math.min(...distances));
  }

  close() {
    hands.delete(this);
  }
}

/** Sorts by the place on the page; each picture is in a shadow tree of its own. */
function inOrder(one, other) {
  const [host, otherHost] = [one, other].map(({ root }) => root.getRootNode().host ?? root);
  return host.compareDocumentPosition(otherHost) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1;
}
