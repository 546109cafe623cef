using System.Globalization;

namespace CcmFhir.Bench.Draw;

/// <summary>A line across a chart that values are held against.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">Where it lies.</param>
internal sealed record Mark(string Name, double Value);

/// <summary>Bars and lines from figures.</summary>
internal static class Charts
{
    private const double Left = 74;
    private const double Right = SvgCanvas.Width - 20;
    private const double Top = 64;
    private const double Bottom = SvgCanvas.Height - 48;

    /// <summary>Groups of bars, one bar for each series, its value above it.</summary>
    public static string Bars(
        string title,
        string unit,
        IReadOnlyList<string> series,
        IReadOnlyList<(string Group, double[] Values)> groups,
        Mark? mark = null
    )
    {
        var svg = new SvgCanvas(title);
        var most = Round(groups.SelectMany(group => group.Values).Append(mark?.Value ?? 0).Max() * 1.08);
        Frame(svg, unit, most, series);
        if (mark is not null)
        {
            Draw(svg, mark, most);
        }
        var room = (Right - Left) / groups.Count;
        for (var group = 0; group < groups.Count; group++)
        {
            var (name, values) = groups[group];
            var width = Math.Min(64, room * 0.7 / values.Length);
            var from = Left + (room * (group + 0.5)) - (width * values.Length / 2);
            for (var one = 0; one < values.Length; one++)
            {
                var (x, y) = (from + (width * one), Y(values[one], most));
                svg.Box(x + 2, y, width - 4, Bottom - y, $"s{one}");
                svg.Text(x + (width / 2), y - 5, Short(values[one]), "", "middle");
            }
            svg.Text(Left + (room * (group + 0.5)), Bottom + 20, name, "", "middle");
        }
        return svg.ToString();
    }

    /// <summary>Lines over a number.</summary>
    /// <param name="title">Title.</param>
    /// <param name="unit">Unit of the values.</param>
    /// <param name="across">What the numbers across are.</param>
    /// <param name="logarithmic">Tenfold for each step across.</param>
    /// <param name="series">Name and points of each line.</param>
    /// <param name="mark">A line across; null for none.</param>
    public static string Lines(
        string title,
        string unit,
        string across,
        bool logarithmic,
        IReadOnlyList<(string Name, (double X, double Y)[] Points)> series,
        Mark? mark = null
    )
    {
        var svg = new SvgCanvas(title);
        var points = series.SelectMany(line => line.Points).ToList();
        var most = Round(points.Select(point => point.Y).Append(mark?.Value ?? 0).Max() * 1.08);
        var (least, last) = (points.Min(point => point.X), points.Max(point => point.X));
        Frame(svg, unit, most, [.. series.Select(line => line.Name)]);
        if (mark is not null)
        {
            Draw(svg, mark, most);
        }
        var ticks = logarithmic
            ? points.Select(point => point.X).Distinct().Order().ToArray()
            : [.. Enumerable.Range(0, 7).Select(step => last * step / 6)];
        foreach (var tick in ticks)
        {
            svg.Text(X(tick), Bottom + 20, Short(tick), "quiet", "middle");
        }
        svg.Text(Right, Bottom + 38, across, "quiet", "end");
        for (var line = 0; line < series.Count; line++)
        {
            svg.Path(series[line].Points.Select(point => (X(point.X), Y(point.Y, most))), $"s{line}");
            if (logarithmic)
            {
                foreach (var (x, y) in series[line].Points)
                {
                    svg.Dot(X(x), Y(y, most), $"s{line}");
                    // Below the lowest of several lines, where it meets no other.
                    var below = line == series.Count - 1 && line > 0;
                    svg.Text(X(x), Y(y, most) + (below ? 18 : -9), Short(y), "", x == last ? "end" : "middle");
                }
            }
        }
        return svg.ToString();

        double X(double value) =>
            logarithmic
                ? Left + 30 + ((Right - Left - 60) * (Math.Log10(value / least) / Math.Log10(last / least)))
                : Left + ((Right - Left) * (value / last));
    }

    private static void Frame(SvgCanvas svg, string unit, double most, IReadOnlyList<string> series)
    {
        for (var step = 0; step <= 4; step++)
        {
            var value = most * step / 4;
            svg.Line(Left, Y(value, most), Right, Y(value, most), step == 0 ? "axis" : "grid");
            svg.Text(Left - 8, Y(value, most) + 4, Short(value), "quiet", "end");
        }
        svg.Text(16, 50, unit, "quiet", "start");
        // About how wide a name is; the squares stand before their names.
        var at = Right - series.Sum(name => 34 + (name.Length * 7.2));
        for (var one = 0; one < series.Count && series.Count > 1; one++)
        {
            svg.Box(at, 40, 12, 12, $"s{one}");
            svg.Text(at + 17, 50, series[one], "", "start");
            at += 34 + (series[one].Length * 7.2);
        }
    }

    // Named in the corner, where no bar can hide it.
    private static void Draw(SvgCanvas svg, Mark mark, double most)
    {
        svg.Line(Left, Y(mark.Value, most), Right, Y(mark.Value, most), "mark");
        svg.Line(Right - 28, 22, Right, 22, "mark");
        svg.Text(Right - 34, 26, mark.Name, "marked", "end");
    }

    private static double Y(double value, double most) => Bottom - ((Bottom - Top) * (value / most));

    // Up to the next 1, 2, 4, 6 or 8 times a power of ten, so that quarters of it can be read.
    private static double Round(double value)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return ((double[])[1, 2, 4, 6, 8, 10]).First(step => step * power >= value) * power;
    }

    private static string Short(double value) =>
        value switch
        {
            >= 1000 => value.ToString("#,0", CultureInfo.InvariantCulture),
            >= 20 => value.ToString("0", CultureInfo.InvariantCulture),
            _ => value.ToString("0.##", CultureInfo.InvariantCulture),
        };
}
