using System.CommandLine;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CcmFhir.Commands;
using CcmFhir.Demo;
using CcmFhir.Tests.Cases;
using Microsoft.Extensions.Time.Testing;

namespace CcmFhir.Tests.Commands;

/// <summary>The sample month, as everybody who clones the project sees it first: from the folder, from the server, and as the demo.</summary>
public sealed class SampleMonthTest : IDisposable
{
    private const string AsOf = "2026-11-23T00:00:00Z";
    private static readonly string Samples = Repository.At("profiles", "samples");
    private static readonly string Practice = Repository.At("profiles", "practices", "maple-street.json");

    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-month-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_folder_gives_the_same_bytes_every_time() =>
        (await CloseAsync()).ShouldBe(await CloseAsync());

    [Fact]
    public async Task The_server_decides_the_same_input_alike()
    {
        var practices = Directory.CreateDirectory(Path.Combine(folder, "practices")).FullName;
        File.Copy(Practice, Path.Combine(practices, "maple-street.json"));
        await using var app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Path.Combine(folder, "ccm.db")}",
                $"--Ccm:Practices={practices}",
                Quiet.Console,
            ],
            new FakeTimeProvider(DateTimeOffset.Parse(AsOf, System.Globalization.CultureInfo.InvariantCulture)),
            Cancel
        );
        await app.StartAsync(Cancel);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First() + "/maple-street/fhir/") };
        foreach (var file in Directory.EnumerateFiles(Samples, "*.json").Order(StringComparer.Ordinal))
        {
            using var content = new ByteArrayContent(await File.ReadAllBytesAsync(file, Cancel));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
            using var posted = await http.PostAsync("", content, Cancel);
        }
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            $"$ccm-close?month=2026-10&dryRun=true&asOf={AsOf}"
        );
        request.Headers.Accept.ParseAdd("application/json");
        using var answer = await http.SendAsync(request, Cancel);

        using var served = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(Cancel));
        using var printed = JsonDocument.Parse(await CloseAsync());
        // The folder's answer also lists what was refused at the door; the server said so when it was posted.
        Decisions(served).ShouldBe(Decisions(printed));
    }

    [Fact]
    public async Task The_demo_bills_the_month_mends_a_hold_and_the_EHR_holds_each_claim_once()
    {
        var profiles = Path.Combine(AppContext.BaseDirectory, "profiles");
        Directory.Exists(profiles).ShouldBeTrue("the samples are carried beside the program");
        await using var output = new StringWriter();
        await DemoMonth.RunAsync("http://127.0.0.1:0", stayUp: false, TimeProvider.System, output, Cancel);
        var text = output.ToString();
        text.ShouldContain("15 claims,");
        text.ShouldContain("16 claims,");
        text.ShouldContain("the EHR holds 15 claims");
        text.ShouldContain("the EHR holds 16 claims");
        text.ShouldContain("refused  11-honeysuckle.json");
        text.ShouldContain("/maple-street/months/2026-10");
    }

    [Theory]
    [InlineData("--month", "2026-13", "yyyy-MM")]
    [InlineData("--month", "2027-01", "2027: no rule set; latest 2026")]
    [InlineData("--practice", "nowhere.json", "neither a file nor")]
    [InlineData("--input", "nowhere", "is not there")]
    [InlineData("--as-of", "yesterday", "give an instant")]
    public async Task A_wrong_argument_ends_with_2_and_says_what_would_be_right(
        string option,
        string value,
        string saying
    )
    {
        var arguments = Arguments();
        arguments[arguments.IndexOf(option) + 1] = value;
        await using var errors = new StringWriter();
        var code = await Command()
            .Parse([.. arguments])
            .InvokeAsync(new InvocationConfiguration { Output = TextWriter.Null, Error = errors }, Cancel);
        code.ShouldBe(2);
        errors.ToString().ShouldContain(saying);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static RootCommand Command() =>
        new()
        {
            CloseCommand.Build(
                new FakeTimeProvider(DateTimeOffset.Parse(AsOf, System.Globalization.CultureInfo.InvariantCulture))
            ),
        };

    private static List<string> Arguments() =>
        [
            "close",
            "--input",
            Samples,
            "--practice",
            Practice,
            "--month",
            "2026-10",
            "--dry-run",
            "--as-of",
            AsOf,
            "--format",
            "json",
        ];

    private static Task<string> CloseAsync() => ClosedFolder.JsonAsync(Samples, Practice, "2026-10", AsOf);

    private static string Decisions(JsonDocument close)
    {
        var text = new StringBuilder();
        foreach (var decision in close.RootElement.GetProperty("decisions").EnumerateArray())
        {
            foreach (var name in (string[])["patient", "outcome", "lines", "total", "seconds", "reasons"])
            {
                text.AppendLine(decision.GetProperty(name).GetRawText());
            }
        }
        return text.ToString();
    }
}
