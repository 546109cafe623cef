using System.Globalization;

namespace CcmFhir.Load.Soak;

/// <summary>What a soak came to. The first third is warming up; growth is what the last third has over the middle one.</summary>
/// <param name="Windows">In order of time.</param>
/// <param name="Failed">Requests that were not answered as wanted.</param>
/// <param name="FirstFault">What the first of them was answered.</param>
public sealed record SoakReport(IReadOnlyList<SoakWindow> Windows, int Failed, string? FirstFault)
{
    /// <summary>Resident memory may be higher by so much, in parts of what it was.</summary>
    public const double MostResident = 0.10;

    /// <summary>So many files and sockets may be open more.</summary>
    public const double MostHandles = 8;

    /// <summary>The median time of a request may be longer by so much, in parts of what it was.</summary>
    public const double MostLatency = 0.25;

    /// <summary>The processor time of a request likewise: what a request costs, whoever else uses the machine.</summary>
    public const double MostProcessor = 0.25;

    /// <summary>Growth of resident memory, in parts. Compared is the highest window of each third: memory falls whenever the garbage collector has
    /// worked, and only its peaks say how much the process needs.</summary>
    public double ResidentGrowth => (Last.Max(Resident) / Middle.Max(Resident)) - 1;

    /// <summary>Growth of the highest number of open handles.</summary>
    public double HandlesGrowth => Last.Max(Handles) - Middle.Max(Handles);

    /// <summary>Growth of the median latency of the median window, in parts.</summary>
    public double LatencyGrowth => (Median(Last, window => window.P50) / Median(Middle, window => window.P50)) - 1;

    /// <summary>Growth of the server's processor time by request in the median window, in parts.</summary>
    public double ProcessorGrowth =>
        (Median(Last, window => window.ProcessorMicroseconds) / Median(Middle, window => window.ProcessorMicroseconds))
        - 1;

    private IReadOnlyList<SoakWindow> Middle => [.. Windows.Skip(Windows.Count / 3).Take(Windows.Count / 3)];

    private IReadOnlyList<SoakWindow> Last => [.. Windows.TakeLast(Windows.Count / 3)];

    /// <summary>What grew beyond its bound, in words; empty when nothing did.</summary>
    /// <param name="time">Hold times to their bounds too: only where others on the machine do not come and go.</param>
    public IReadOnlyList<string> Violations(bool time)
    {
        var violations = new List<string>();
        if (Failed > 0)
        {
            violations.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Failed} requests failed, none may; the first was answered {FirstFault}"
                )
            );
        }
        Hold("Resident memory", ResidentGrowth, MostResident);
        Hold("The number of open handles", HandlesGrowth, MostHandles);
        if (time)
        {
            Hold("Processor time a request", ProcessorGrowth, MostProcessor);
            Hold("Median latency", LatencyGrowth, MostLatency);
        }
        return violations;

        void Hold(string what, double grown, double most)
        {
            if (grown > most)
            {
                violations.Add(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{what} grew by {grown:0.###} from the middle third to the last; {most} is the most."
                    )
                );
            }
        }
    }

    private static double Resident(SoakWindow window) => window.ResidentMegabytes;

    private static int Handles(SoakWindow window) => window.Handles;

    private static double Median(IReadOnlyList<SoakWindow> windows, Func<SoakWindow, double> value) =>
        windows.Select(value).Order().ElementAt(windows.Count / 2);
}
