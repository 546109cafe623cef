using System.Text.Json;

namespace CcmFhir.Tests.Export;

/// <summary>An X12 interchange as <c>node-x12</c> reads it.</summary>
internal sealed class X12File
{
    private X12File(JsonElement interchange)
    {
        Isa = Segment(interchange.GetProperty("header"));
        var group = interchange.GetProperty("groups").EnumerateArray().ShouldHaveSingleItem();
        Gs = Segment(group.GetProperty("header"));
        var set = group.GetProperty("sets").EnumerateArray().ShouldHaveSingleItem();
        St = Segment(set.GetProperty("header"));
        Segments = [.. set.GetProperty("segments").EnumerateArray().Select(Segment)];
    }

    public string[] Isa { get; }

    public string[] Gs { get; }

    public string[] St { get; }

    /// <summary>Segments between ST and SE; the first element is the tag, so that index and element number agree.</summary>
    public IReadOnlyList<string[]> Segments { get; }

    /// <summary>The segments of each subscriber, from its HL on.</summary>
    public IReadOnlyList<IReadOnlyList<string[]>> Subscribers
    {
        get
        {
            var all = new List<IReadOnlyList<string[]>>();
            List<string[]>? open = null;
            foreach (var segment in Segments)
            {
                if (segment is ["HL", _, _, "22", ..])
                {
                    all.Add(open = []);
                }
                open?.Add(segment);
            }
            return all;
        }
    }

    public static async Task<X12File> ReadAsync(string path)
    {
        var modules = await NodePackages.InstallAsync("node-x12-1.7.1", "node-x12@1.7.1");
        var script = Path.Combine(AppContext.BaseDirectory, "Data", "x12", "read.mjs");
        using var read = JsonDocument.Parse(await NodePackages.RunAsync("node", script, modules, path));
        return new X12File(read.RootElement);
    }

    public static string[] One(IReadOnlyList<string[]> segments, params string[] start) =>
        All(segments, start).ShouldHaveSingleItem();

    public static IReadOnlyList<string[]> All(IReadOnlyList<string[]> segments, params string[] start) =>
        [.. segments.Where(segment => segment.Take(start.Length).SequenceEqual(start))];

    private static string[] Segment(JsonElement segment) =>
        [.. segment.EnumerateArray().Select(element => element.ToString())];
}
