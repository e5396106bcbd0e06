"""Several channels and the 1 × 1 kernel. Course: "多通道卷积" and the 1*1 convolution of "GoogLeNet"."""

import pandas as pd
import streamlit as st

from app import link, page
from app.charts import compiled
from app.choice import choice
from app.figures import convolution_boards as boards_of
from app.figures.boards import boards
from app.i18n import _, language
from app.player import player
from core import convolution
from core.convolution import Convolution, output_size
from core.errors import InputError
from pages.parts.convolution_inputs import whole


def show_channels() -> None:
    st.markdown(
        _(
            "A kernel has as many channels as the input (of its group), and there are as many kernels as output "
            "channels. Each kernel gives one output channel: a convolution per channel, added up."
        )
    )
    columns = st.columns(4)
    options = {str(n): str(n) for n in (1, 2, 3, 4)}
    with columns[0]:
        link.check_choice("inputs", options)
        inputs = int(choice(_("Input channels"), options, key="inputs", default="3"))
    with columns[1]:
        link.check_choice("kernels", options)
        kernels = int(choice(_("Kernels"), options, key="kernels", default="2"))
    with columns[2]:
        link.check_choice("groups", options)
        groups = int(choice(_("Groups"), options, key="groups", default="1"))
    with columns[3]:
        sides = {"3": "3 × 3", "1": "1 × 1"}
        link.check_choice("side", sides)
        side = int(choice(_("Kernel size"), sides, key="side", default="3"))
    try:
        layer = Convolution(in_channels=inputs, out_channels=kernels, kernel=(side, side), groups=groups)
    except InputError as error:
        page.input_error(error)
        return
    data, captions = boards_of.channels_data(layer, language())
    player(
        compiled(boards),
        key="channels",
        name="convolution-channels",
        alt=_("{inputs} input channels; kernel by kernel, a product per channel and their sum.").format(inputs=inputs)
        + " "
        + " ".join(captions),
        data=data,
        steps=len(captions),
        captions=captions,
        height=400,
    )
    st.markdown(_("All weights together are one tensor with four axes:"))
    product = r" \cdot ".join(map(str, layer.weight_shape))
    page.formula(
        rf"@weight{{\text{{weight}}}}: {layer.weight_shape}"
        rf" \qquad {product} = {convolution.parameters(layer, bias=False)}"
    )
    player(
        compiled(boards),
        key="weights",
        name="convolution-weights",
        alt=_(
            "{kernels} kernels, one below the other, each with {channels} channels; beside each its output channel."
        ).format(kernels=kernels, channels=layer.weight_shape[1]),
        data=boards_of.weights_data(layer, language()),
    )
    if groups == inputs == kernels > 1:
        page.status(_("Depthwise: as many groups as channels, so each kernel sees one channel only."))
    elif groups > 1:
        sentence = _("With {groups} groups each kernel sees {seen} of {inputs} channels, so there are fewer weights.")
        page.status(sentence.format(groups=groups, seen=layer.weight_shape[1], inputs=inputs))


def show_pointwise() -> None:
    st.markdown(
        _(
            "A 1 × 1 kernel sees one pixel, and all of its channels: it mixes channels and leaves the picture's size "
            "alone. So it can make the channels fewer before an expensive layer."
        )
    )
    page.formula(r"@prediction{y_o} = \sum_c @weight{w_{o,c}} \cdot x_c")
    try:
        between = whole(_("Channels in between"), "between", 16, 1, 192)
    except InputError as error:
        page.input_error(error)
        return
    size = (28, 28)
    direct = [Convolution(in_channels=192, out_channels=32, kernel=(5, 5), padding="same")]
    narrowed = [
        Convolution(in_channels=192, out_channels=between, kernel=(1, 1)),
        Convolution(in_channels=between, out_channels=32, kernel=(5, 5), padding="same"),
    ]
    rows, totals = [], []
    for way, chain in ((_("5 × 5 at once"), direct), (_("1 × 1 first"), narrowed)):
        totals.append(sum(convolution.multiplications(layer, size) for layer in chain))
        rows += [
            (
                way,
                f"{layer.in_channels} → {layer.out_channels}",
                f"{layer.kernel[0]} × {layer.kernel[1]}",
                convolution.parameters(layer, bias=False),
                convolution.multiplications(layer, output_size(layer, size)),
            )
            for layer in chain
        ]
    names = [_("way"), _("channels"), _("kernel"), _("weights"), _("multiplications")]
    page.table(pd.DataFrame(rows, columns=names), name="convolution-cost")
    page.formula(rf"28 \cdot 28 \cdot 32 \cdot 192 \cdot 5 \cdot 5 = {totals[0]:,}".replace(",", r"\,"))
    page.formula(
        rf"28 \cdot 28 \cdot {between} \cdot 192 + 28 \cdot 28 \cdot 32 \cdot {between} \cdot 5 \cdot 5"
        rf" = {totals[1]:,}".replace(",", r"\,")
    )
    share = totals[1] / totals[0]
    sentence = _("On 28 × 28 pixels, {first:,} multiplications become {second:,}: {share:.1%} of them.")
    page.status(sentence.format(first=totals[0], second=totals[1], share=share), "good" if share < 1 else "warning")
