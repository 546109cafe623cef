using Microsoft.Playwright;

namespace CcmFhir.Tests.Pages;

/// <summary>Pictures of every page for a person to look at, into the folder that CCMFHIR_PICTURES names; <c>docs/images</c> has the one of README.</summary>
public sealed class PicturesTest(Browser browser, DemoSite site) : IClassFixture<DemoSite>
{
    [Fact]
    public async Task Every_page_can_be_photographed()
    {
        var folder = Environment.GetEnvironmentVariable("CCMFHIR_PICTURES");
        foreach (var (name, address) in folder is null ? Pages[..1] : Pages)
        {
            foreach (var width in (int[])[1280, 360])
            {
                foreach (var dark in (bool[])[false, true])
                {
                    await using var open = await browser.OpenAsync(site.Root, width, dark);
                    await open.GoAsync(address);
                    var picture = await open.Page.ScreenshotAsync(new PageScreenshotOptions { FullPage = true });
                    picture.Length.ShouldBeGreaterThan(10_000);
                    if (folder is not null)
                    {
                        Directory.CreateDirectory(folder);
                        await File.WriteAllBytesAsync(
                            Path.Combine(folder, $"{name}-{width}{(dark ? "-dark" : "")}.png"),
                            picture
                        );
                    }
                }
            }
        }
    }

    private static readonly (string Name, string Address)[] Pages =
    [
        ("worklist", DemoSite.Worklist),
        ("start", "/"),
        ("patient", "/maple-street/patients/goldfinch/2026-10"),
        ("patient-shared", "/maple-street/patients/honeysuckle/2026-10"),
        ("close", DemoSite.Worklist + "/close"),
        ("lab", "/lab?profile=ccm-time-log&sample=typical"),
        ("lab-profile", "/lab/profiles/ccm-time-log"),
        ("problem", "/maple-street/months/2026-13"),
    ];
}
