"""Several channels and the 1 × 1 kernel. Course: "多通道卷积" and the 1*1 convolution of "GoogLeNet"."""

from functools import partial

import streamlit as st

from app import link, page
from app.charts import compiled
from app.choice import choice
from app.figures import convolution_boards as boards_of
from app.figures.boards import boards
from app.figures.numbers import percent
from app.i18n import _, language
from app.player import player
from core import convolution
from core.convolution import Convolution
from core.convolution_script import channels_script
from core.errors import InputError
from pages.parts.convolution_code import offer_on_request
from pages.parts.convolution_inputs import whole


def show_channels() -> None:
    st.markdown(
        _(
            "A kernel has as many channels as the input (of its group), and there are as many kernels as output "
            "channels. A kernel slides through all of its channels at once, at the same place in each: a convolution "
            "per channel, added up to one output channel."
        )
    )
    options = {str(n): str(n) for n in (1, 2, 3, 4)}
    row = st.container(horizontal=True)
    columns = [row.container(width="content") for _column in range(4)]
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
    drawn = boards_of.channels_data(layer, language())
    player(
        compiled(boards),
        key="channels",
        name="convolution-channels",
        alt=_("{inputs} input channels; kernel by kernel, a product per channel and their sum.").format(inputs=inputs)
        + " "
        + " ".join(drawn.captions),
        data=drawn.data,
        steps=len(drawn.captions),
        captions=drawn.captions,
        height=drawn.height,
    )
    st.markdown(_("All weights together are one tensor with four axes:"))
    product = r" \cdot ".join(map(str, layer.weight_shape))
    st.markdown(
        rf"$\text{{weight}}: {layer.weight_shape}$ $\quad {product} = {convolution.parameters(layer, bias=False)}$"
    )
    weights = boards_of.weights_data(layer, language())
    player(
        compiled(boards),
        key="weights",
        name="convolution-weights",
        alt=_(
            "{kernels} kernels, one below the other, each with {channels} channels; beside each its output channel."
        ).format(kernels=kernels, channels=layer.weight_shape[1]),
        data=weights.data,
        height=weights.height,
    )
    if groups == inputs == kernels > 1:
        page.status(_("Depthwise: as many groups as channels, so each kernel sees one channel only."))
    elif groups > 1:
        sentence = _("With {groups} groups each kernel sees {seen} of {inputs} channels, so there are fewer weights.")
        page.status(sentence.format(groups=groups, seen=layer.weight_shape[1], inputs=inputs))
    st.caption(
        _(
            "Groups split the channels into parts that do not meet, for fewer weights and fewer products; a 1 × 1 "
            "kernel after them mixes the parts again."
        )
    )
    offer_on_request(partial(channels_script, layer, *boards_of.example(layer)), key="channels")


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
    st.markdown(
        _(
            "The numbers are those of the course's example from GoogLeNet: 192 channels of 28 × 28 pixels come in, and "
            "a kernel of 5 × 5 shall make 32 of them."
        )
    )
    lines, totals = [], []
    for way, chain in ((_("5 × 5 at once"), direct), (_("1 × 1 first"), narrowed)):
        totals.append(sum(convolution.multiplications(layer, size) for layer in chain))
        lines += [
            f"| {way} | {layer.kernel[0]} × {layer.kernel[1]}, {layer.in_channels} → {layer.out_channels} |"
            f" {convolution.parameters(layer, bias=False):,} | {convolution.multiplications(layer, size):,} |"
            for layer in chain
        ]
    names = [_("way"), _("layer"), _("weights"), _("products")]
    st.markdown("\n".join([f"| {' | '.join(names)} |", "| :-- | :-- | --: | --: |", *lines]))
    st.caption(
        _("A product is one multiplication; the weights are counted without the biases, one per output channel.")
    )
    st.markdown(rf"$28 \cdot 28 \cdot 32 \cdot 192 \cdot 5 \cdot 5 = {totals[0]:,}$".replace(",", r"\,"))
    first, then = (convolution.multiplications(layer, size) for layer in narrowed)
    st.markdown(
        rf"$28 \cdot 28 \cdot {between} \cdot 192 = {first:,}$ $\quad 28 \cdot 28 \cdot 32 \cdot {between} \cdot 5"
        rf" \cdot 5 = {then:,}$ $\quad {first:,} + {then:,} = {totals[1]:,}$".replace(",", r"\,")
    )
    share = totals[1] / totals[0]
    sentence = _("On 28 × 28 pixels, {first:,} multiplications become {second:,}: {share} of them.")
    page.status(
        sentence.format(first=totals[0], second=totals[1], share=percent(share, 1)), "good" if share < 1 else "warning"
    )
